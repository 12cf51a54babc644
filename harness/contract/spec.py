"""``BackendSpec``: what a plugin says of a backend without importing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Self, TypeAlias

from harness.contract import options
from harness.contract.environment import Environment, Option, Options, inherited
from harness.contract.options import Table
from harness.errors import PluginError, nearest

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


@dataclass(frozen=True, kw_only=True)
class BackendSpec:
    """One backend, described; fields are only ever added, with defaults. A bad one is a ``PluginError``."""

    api: int
    """The contract that the plugin speaks; 1."""
    name: str
    implementation: str
    """``"module:Class"``, imported only when a cell needs it."""
    summary: str
    """One line, for lists."""
    requires: tuple[str, ...] = ()
    """Importable names; a missing one makes the backend unavailable, with ``install`` as the hint."""
    install: str = ""
    """The command that installs what ``requires`` names."""
    parallel: Parallel
    """What the workers share out among themselves."""
    algebra: Algebra
    """Who does the arithmetic: loops of its own, BLAS calls, or a library of the field."""
    options: Table = field(default_factory=dict, hash=False)
    """Values that ``check`` runs, the default first; a trailing ``...`` takes others of the same type too."""
    counterpart: tuple[str, Options] | None = field(default=None, hash=False)
    """The serial baseline for SUP, ``(name, options)``; ``None``: itself, workers=1, every other option at default."""
    mathematics: Mathematics = "minibatch"
    """What it computes: ``"ensemble"`` has a reference of its own and is ranked among its own."""
    environment: Environment = inherited
    """``(workers, options) -> {variable: value or None to unset}``, applied before its process starts."""
    launcher: Launcher | None = None
    """``(workers, options, hosts) -> words`` put before the worker's command line; every rank runs the worker."""
    known_failures: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Conformance checks that fail, each with its reason: ``"check"``, ``"check[case]"``, ``"check @ name=value"``.

    Strict: one that passes, or that no longer exists, is a failure.
    """

    def __new__(cls, *_: object, **fields: object) -> Self:
        """Say which field is unknown, and of which api, before ``__init__`` can only say that something is."""
        check_api(fields.get("name"), fields.get("api", API))
        unknown = sorted(fields.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            hint = nearest(unknown[0], cls.__dataclass_fields__)
            step = "correct it, or upgrade the harness: pip install --upgrade backprop-harness"
            raise PluginError(
                f"backend {fields.get('name')!r}: BackendSpec has no field {unknown[0]!r}{hint}", step=step
            )
        return super().__new__(cls)

    def __post_init__(self) -> None:
        from harness.contract.spec_checks import check_spec  # noqa: PLC0415  that module needs this one

        check_spec(self)
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
        object.__setattr__(self, "known_failures", MappingProxyType(dict(self.known_failures)))

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


def check_api(name: object, api: object) -> None:
    """Refuse a plugin that speaks another contract, and say which side is the older one."""
    if isinstance(api, int) and not isinstance(api, bool) and api == API:
        return
    newer = isinstance(api, int) and api > API
    step = "upgrade the harness: pip install --upgrade backprop-harness" if newer else "upgrade the plugin"
    raise PluginError(f"backend {name!r} speaks api {api!r}, this harness api {API}", step=step)
