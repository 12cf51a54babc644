"""``BackendSpec``: what a plugin says of a backend without importing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from harness import options
from harness.environment import Environment, Option, Options, inherited
from harness.errors import PluginError, nearest
from harness.options import Table

API = 1
"""The contract that this harness speaks."""

Parallel = Literal["none", "examples", "matrix", "neurons", "examples+matrix"]
Algebra = Literal["handwritten", "blas", "library"]
Mathematics = Literal["minibatch", "ensemble"]
Launcher: TypeAlias = Callable[[int, Options, Sequence[str]], Sequence[str]]

RESERVED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"device": ("cpu", "cuda"), "precision": ("ieee", "tf32", "bf16")}
)
"""Option names with one meaning everywhere, and the only values that they may take."""

NAME = re.compile(r"[a-z0-9-]+")
IMPLEMENTATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class BackendSpec:
    """One backend, described; fields are only ever added, with defaults. A bad one is a ``PluginError``."""

    api: int
    name: str
    implementation: str
    """``"module:Class"``, imported only when a cell needs it."""
    summary: str
    requires: tuple[str, ...] = ()
    """Importable names; a missing one makes the backend unavailable, with ``install`` as the hint."""
    install: str = ""
    parallel: Parallel
    algebra: Algebra
    options: Table = field(default_factory=dict)
    """Values that ``check`` runs, the default first; a trailing ``...`` takes others of the same type too."""
    counterpart: tuple[str, Options] | None = None
    """The serial baseline for SUP, ``(name, options)``; ``None``: itself, workers=1, every other option at default."""
    mathematics: Mathematics = "minibatch"
    environment: Environment = inherited
    launcher: Launcher | None = None
    """``(workers, options, hosts) -> words`` put before the worker's command line; every rank runs the worker."""

    def __post_init__(self) -> None:
        _check_words(self)
        _check_options(self)
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def defaults(self) -> dict[str, Option]:
        """Return every option at its first value."""
        return options.defaults(self.options)

    def listed(self, option: str) -> tuple[Option, ...]:
        """Return the values of an option that ``check`` runs, the default first."""
        return options.listed(self.options[option])

    def resolve(self, given: Mapping[str, Option]) -> dict[str, Option]:
        """Return all options, those given checked against the spec and the others at their default."""
        return options.resolve(self.name, self.options, given)

    def parse(self, words: Mapping[str, str]) -> dict[str, Option]:
        """Turn ``name=value`` words from a command line into options of their type, checked, defaults filled in."""
        return options.parse(self.name, self.options, words)


def _check_words(spec: BackendSpec) -> None:
    if spec.api != API:
        raise PluginError(
            f"backend {spec.name!r} speaks api {spec.api!r}, this harness api {API}: upgrade the older one"
        )
    if not isinstance(spec.name, str) or not NAME.fullmatch(spec.name):
        raise PluginError(f"backend name {spec.name!r}: use a-z, 0-9 and - only")
    if not isinstance(spec.implementation, str) or not IMPLEMENTATION.fullmatch(spec.implementation):
        raise PluginError(f"backend {spec.name!r}: implementation {spec.implementation!r} should be 'module:Class'")
    if not isinstance(spec.requires, tuple) or not all(isinstance(name, str) for name in spec.requires):
        raise PluginError(f"backend {spec.name!r}: requires={spec.requires!r} should be a tuple of importable names")
    kinds = (("parallel", Parallel), ("algebra", Algebra), ("mathematics", Mathematics))
    for label, kind in kinds:
        value = getattr(spec, label)
        if value not in get_args(kind):
            raise PluginError(f"backend {spec.name!r}: {label}={value!r}{nearest(str(value), get_args(kind))}")


def _check_options(spec: BackendSpec) -> None:
    owner = f"backend {spec.name!r}"
    options.check_table(owner, spec.options)
    for name in RESERVED.keys() & spec.options.keys():
        values = spec.options[name]
        if not set(values) <= set(RESERVED[name]):
            allowed = ", ".join(RESERVED[name])
            raise PluginError(f"{owner}: option {name!r} is reserved: its values are {allowed}, not {values!r}")
