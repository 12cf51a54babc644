"""``BackendSpec``: what a plugin says of a backend without importing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, TypeAlias

from harness.contract import options
from harness.contract.environment import Environment, Option, Options, inherited
from harness.contract.options import Table
from harness.contract.spec_checks import check_spec
from harness.contract.vocabulary import API, Algebra, Mathematics, Parallel

Launcher: TypeAlias = Callable[[int, Options, Sequence[str]], Sequence[str]]


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

    def __post_init__(self) -> None:
        check_spec({part.name: getattr(self, part.name) for part in fields(self)})
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

    def to_json(self) -> dict[str, Any]:
        """Return what another interpreter can be told of the backend; ``from_json`` reads it.

        The environment and the launcher are functions and stay behind, and so do the known failures, which only
        ``check`` needs.
        """
        plain = {name: getattr(self, name) for name in _SAID}
        counterpart = None if self.counterpart is None else [self.counterpart[0], dict(self.counterpart[1])]
        return {
            **plain,
            "requires": list(self.requires),
            "options": options.plain(self.options),
            "counterpart": counterpart,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BackendSpec:
        """Return the spec that ``to_json`` or ``harness backends --json`` described, without environment and launcher.

        Unknown keys are ignored. What is not told of the implementation stands for one that is never imported here.
        """
        told: dict[str, Any] = {"api": API, "implementation": "elsewhere:Elsewhere"}
        told.update({name: data[name] for name in _SAID if name in data})
        pair = data.get("counterpart")
        return cls(
            **{
                **told,
                "requires": tuple(data.get("requires", ())),
                "options": options.from_plain(data["options"]),
                "counterpart": None if pair is None else (pair[0], dict(pair[1])),
            }
        )


_SAID = ("api", "name", "implementation", "summary", "install", "parallel", "algebra", "mathematics")
"""The fields that JSON holds as they are."""
