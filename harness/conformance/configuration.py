"""Which configurations are checked: each option value alone, with one, two and three workers; never the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.contract.environment import Option, Options
from harness.contract.spec import BackendSpec

Level = Literal["quick", "full"]
LEVELS: tuple[Level, ...] = ("quick", "full")
WORKERS = (1, 2, 3)


@dataclass(frozen=True)
class Configuration:
    """One process's worth: every option at one value, and a number of workers."""

    options: tuple[tuple[str, Option], ...]
    """All options, sorted as in the spec."""
    chosen: tuple[tuple[str, Option], ...]
    """Those that are not at their default."""
    workers: int

    def __str__(self) -> str:
        """Return it in words for people."""
        return " ".join([*(f"{name}={value}" for name, value in self.chosen), f"workers={self.workers}"])

    def words(self) -> list[str]:
        """Return the words that ask ``harness check`` for exactly this configuration."""
        options = [f"{name}={value}" for name, value in self.chosen]
        return [*(["--options", *options] if options else []), "--workers", str(self.workers)]


def configuration(spec: BackendSpec, options: Options, workers: int) -> Configuration:
    """Return the configuration with these options, the others at their default."""
    resolved = spec.resolve(options)
    defaults = spec.defaults()
    chosen = {name: value for name, value in resolved.items() if value != defaults[name]}
    return Configuration(tuple(resolved.items()), tuple(chosen.items()), workers)


def configurations(
    spec: BackendSpec, level: Level, options: Options | None = None, workers: Sequence[int] = ()
) -> list[Configuration]:
    """Return what to run, without repeats; options and workers that are named are taken as they are.

    ``quick`` takes every option value at one number of workers, the default ones at 1, 2 and 3.
    """
    sets = [dict(options)] if options is not None else _one_at_a_time(spec)
    found: dict[Configuration, None] = {}
    for index, chosen in enumerate(sets):
        for count in workers or _workers(chosen, 1 if level == "quick" and index else len(WORKERS)):
            found[configuration(spec, chosen, count)] = None
    return list(found)


def _one_at_a_time(spec: BackendSpec) -> list[dict[str, Option]]:
    others: list[dict[str, Any]] = [{name: value} for name in spec.options for value in spec.listed(name)[1:]]
    return [{}, *others]


def _workers(options: Options, count: int) -> tuple[int, ...]:
    """Return the numbers of workers to try; on one device there is one."""
    return WORKERS[:1] if options.get("device") == "cuda" else WORKERS[:count]
