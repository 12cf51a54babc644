"""``BackendSpec``: what a plugin says of a backend without importing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType, MappingProxyType
from typing import Literal, TypeAlias, get_args

from harness.environment import Environment, Option, Options, inherited
from harness.errors import PluginError, RequestError, nearest

API = 1
"""The contract that this harness speaks."""

Parallel = Literal["none", "examples", "matrix", "neurons", "examples+matrix"]
Algebra = Literal["handwritten", "blas", "library"]
Mathematics = Literal["minibatch", "ensemble"]
Values: TypeAlias = tuple[Option | EllipsisType, ...]
Launcher: TypeAlias = Callable[[int, Options, Sequence[str]], Sequence[str]]

RESERVED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"device": ("cpu", "cuda"), "precision": ("ieee", "tf32", "bf16")}
)
"""Option names with one meaning everywhere, and the only values that they may take."""

NAME = re.compile(r"[a-z0-9-]+")
IMPLEMENTATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
OPTION = re.compile(r"[a-z_][a-z0-9_]*")


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
    options: Mapping[str, Values] = field(default_factory=dict)
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
        return {name: _listed(values)[0] for name, values in self.options.items()}

    def listed(self, option: str) -> tuple[Option, ...]:
        """Return the values of an option that ``check`` runs, the default first."""
        return _listed(self.options[option])

    def resolve(self, options: Mapping[str, Option]) -> dict[str, Option]:
        """Return all options, those given checked against the spec and the others at their default."""
        for name, value in options.items():
            self._check_value(name, value)
        return {**self.defaults(), **options}

    def parse(self, words: Mapping[str, str]) -> dict[str, Option]:
        """Turn ``name=value`` words from a command line into options of their type, checked, defaults filled in."""
        return self.resolve({name: self._typed(name, word) for name, word in words.items()})

    def _typed(self, name: str, word: str) -> Option:
        self._check_name(name)
        if isinstance(self.listed(name)[0], str):
            return word
        try:
            return int(word)
        except ValueError:
            raise RequestError(f"{self.name}: option {name}={word!r} should be a whole number") from None

    def _check_name(self, name: str) -> None:
        if name not in self.options:
            raise RequestError(f"{self.name}: unknown option {name!r}{nearest(name, self.options)}")

    def _check_value(self, name: str, value: Option) -> None:
        self._check_name(name)
        values, listed = self.options[name], self.listed(name)
        if type(value) is not type(listed[0]):
            kind = type(listed[0]).__name__
            raise RequestError(f"{self.name}: option {name}={value!r} should be {kind}, not {type(value).__name__}")
        if values[-1] is not ... and value not in listed:
            raise RequestError(
                f"{self.name}: option {name}={value!r} is unknown{nearest(str(value), map(str, listed))}"
            )


def _listed(values: Values) -> tuple[Option, ...]:
    return tuple(value for value in values if not isinstance(value, EllipsisType))


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
    for name, values in spec.options.items():
        where = f"backend {spec.name!r}: option {name!r}"
        if not OPTION.fullmatch(name):
            raise PluginError(f"{where} should be a lower-case Python name")
        if not isinstance(values, tuple) or not values or values[0] is ...:
            raise PluginError(f"{where} should be a tuple of values, the default first, not {values!r}")
        listed = _listed(values)
        if ... in values[:-1] or len({type(value) for value in listed}) > 1 or type(listed[0]) not in (str, int):
            raise PluginError(f"{where} should hold only str or only int, ... at the end if at all, not {values!r}")
        if name in RESERVED and not set(values) <= set(RESERVED[name]):
            raise PluginError(f"{where} is reserved: its values are {', '.join(RESERVED[name])}, not {values!r}")
