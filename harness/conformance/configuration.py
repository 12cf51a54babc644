"""Which configurations are checked, and which checks are known to fail in them.

Every option value is checked with all other options at their default, and with one, two and three workers. All
combinations of options would be too many.

A known failure is named by the plugin's owner, with a reason. It is strict: it must fail, so that no entry outlives its
cause. Its key is the name of a check with or without its case, ``"keeps_to_its_threads"`` or ``"an_epoch[8]"``. Words
after an ``@`` limit it to some configurations: ``"keeps_to_its_threads @ device=cuda"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.contract.environment import Option, Options
from harness.contract.spec import BackendSpec

Level = Literal["quick", "full"]
LEVELS: tuple[Level, ...] = ("quick", "full")
WORKERS = (1, 2, 3)


@dataclass(frozen=True)
class Configuration:
    """What one process checks: one value for every option, and a number of workers."""

    options: tuple[tuple[str, Option], ...]
    """All options, in the order of the spec."""
    chosen: tuple[tuple[str, Option], ...]
    """The options that are not at their default."""
    workers: int

    def __str__(self) -> str:
        """Return the configuration in words for people."""
        return " ".join([*(f"{name}={value}" for name, value in self.chosen), f"workers={self.workers}"])

    def words(self) -> list[str]:
        """Return the words that make ``harness check`` check exactly this configuration."""
        options = [f"{name}={value}" for name, value in self.chosen]
        return [*(["--options", *options] if options else []), "--workers", str(self.workers)]


def configuration(spec: BackendSpec, options: Options, workers: int) -> Configuration:
    """Return the configuration with these options and the default of every other option."""
    resolved = spec.resolve(options)
    defaults = spec.defaults()
    chosen = {name: value for name, value in resolved.items() if value != defaults[name]}
    return Configuration(tuple(resolved.items()), tuple(chosen.items()), workers)


def configurations(
    spec: BackendSpec, level: Level, options: Options | None = None, workers: Sequence[int] = ()
) -> list[Configuration]:
    """Return the configurations to check, each once; ``options`` and ``workers`` that are given are taken as they are.

    ``quick`` checks the default options with 1, 2 and 3 workers, and every other option value with 1.
    """
    sets = [dict(options)] if options is not None else _one_at_a_time(spec)
    distinct: dict[Configuration, None] = {}
    for index, chosen in enumerate(sets):
        for count in workers or _workers(chosen, 1 if level == "quick" and index else len(WORKERS)):
            distinct[configuration(spec, chosen, count)] = None
    return list(distinct)


def _one_at_a_time(spec: BackendSpec) -> list[dict[str, Option]]:
    others: list[dict[str, Any]] = [{name: value} for name in spec.options for value in spec.listed(name)[1:]]
    return [{}, *others]


def _workers(options: Options, count: int) -> tuple[int, ...]:
    """Return the first ``count`` numbers of workers; on a device there is only one worker."""
    return WORKERS[:1] if options.get("device") == "cuda" else WORKERS[:count]


def reason_for(known: Mapping[str, str], name: str, configuration: str) -> str | None:
    """Return the reason why this check may fail in this configuration, or ``None`` if it may not fail."""
    return next((known[key] for key in known if matches(key, name, configuration)), None)


def matches(key: str, name: str, configuration: str) -> bool:
    """Return whether the key of a known failure means this check in this configuration."""
    check, _, words = (part.strip() for part in key.partition("@"))
    same = check in (name, name.partition("[")[0])
    return same and set(words.split()) <= set(configuration.split())


def stale(known: Mapping[str, str], ran: Iterable[tuple[str, str]]) -> list[str]:
    """Return the keys that mean no check at all; ``ran`` holds the name and the configuration of every check."""
    checks = list(ran)
    return [key for key in known if not any(matches(key, *check) for check in checks)]
