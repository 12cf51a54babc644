"""Which samples of two sides belong together: cells by all that must be equal, rounds by the run that measured both."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from harness.plan.cell import Cell
from harness.report.statistics import median
from harness.store import Stored

Setting: TypeAlias = Mapping[str, str | int]
Moment: TypeAlias = tuple[str, int, int]
"""A run and a round: what was measured in one moment shares the machine's mood. The last number is 0, unless cells that
differ in nothing that counts were measured in one moment."""


def setting(cell: Cell, machine: str) -> dict[str, str | int]:
    """Return what tells cells apart, as it is shown; limits, and what only a report reads, make no difference."""
    return {
        "machine": machine,
        "backend": cell.backend,
        "options": _options(cell.options),
        "workers": cell.workers,
        "batch": cell.batch,
        "network": str(cell.network),
        "dataset": f"{cell.dataset} {_options(cell.dataset_options)}".strip(),
        "rate": f"{cell.rate:g}",
        "seed": cell.seed,
        "init": cell.init,
        "shuffle": str(cell.shuffle),
        "epochs": cell.epochs,
        "python": cell.python or "",
        "hosts": ",".join(cell.hosts),
    }


def _options(options: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(options.items()))


@dataclass(frozen=True)
class Samples:
    """All rounds of one cell on one side."""

    rows: tuple[Stored, ...]

    @cached_property
    def times(self) -> dict[Moment, float]:
        """Seconds per epoch, the median of each round; none at all where any round was wrong."""
        if any(one.row.state == "wrong" for one in self.rows):
            return {}
        counts: Counter[tuple[str, int]] = Counter()
        found: dict[Moment, float] = {}
        for one in sorted(self.rows, key=lambda one: one.row.cell.key):
            time = _time(one)
            if time is not None:
                moment = one.run, one.row.round
                found[*moment, counts[moment]] = time
                counts[moment] += 1
        return found

    @property
    def state(self) -> str:
        """``ok``, or the state that kept it from having times, the worst first."""
        counts = Counter(one.row.state for one in self.rows)
        others = [state for state, _ in counts.most_common() if state != "ok"]
        return "wrong" if "wrong" in counts else "ok" if self.times or not others else others[0]

    @property
    def lost(self) -> int:
        """Rounds that gave no time."""
        return len(self.rows) - len(self.times)

    @property
    def cell(self) -> Cell:
        """The cell, or one of those that differ in nothing that counts."""
        return self.rows[0].row.cell


def _time(one: Stored) -> float | None:
    """Return the median epoch of a round, or ``None`` where it has none that is a time."""
    if one.row.state != "ok" or not one.row.epoch_seconds:
        return None
    time = median(one.row.epoch_seconds)
    return time if math.isfinite(time) and time > 0 else None


@dataclass(frozen=True)
class Pair:
    """One cell on both sides."""

    before: Samples
    after: Samples

    @cached_property
    def shared(self) -> tuple[Moment, ...]:
        """The moments in which one run measured both."""
        return tuple(sorted(self.before.times.keys() & self.after.times.keys()))

    @property
    def paired(self) -> bool:
        """Whether pairs are compared: at least half of what the smaller side has was measured in pairs."""
        return 2 * len(self.shared) >= max(1, min(len(self.before.times), len(self.after.times)))

    @property
    def logs(self) -> list[float]:
        """The log ratio of each pair, after over before."""
        return [math.log(self.after.times[moment] / self.before.times[moment]) for moment in self.shared]


Matched: TypeAlias = tuple[list[tuple[Setting, Pair]], list[Setting], list[Setting]]


def matched(before: Iterable[Stored], after: Iterable[Stored], ignored: frozenset[str]) -> Matched:
    """Return the pairs of cells that agree in all but ``ignored``, and the settings that only one side has."""
    left, right = _grouped(before, ignored), _grouped(after, ignored)
    pairs: list[tuple[Setting, Pair]] = [
        (dict(key), Pair(rows, right[key])) for key, rows in left.items() if key in right
    ]
    return (
        pairs,
        [dict(key) for key in left if key not in right],
        [dict(key) for key in right if key not in left],
    )


def _grouped(rows: Iterable[Stored], ignored: frozenset[str]) -> dict[tuple[tuple[str, str | int], ...], Samples]:
    groups: dict[tuple[tuple[str, str | int], ...], list[Stored]] = {}
    for one in rows:
        found = setting(one.row.cell, one.row.machine)
        key = tuple((name, value) for name, value in found.items() if name not in ignored)
        groups.setdefault(key, []).append(one)
    return {key: Samples(tuple(group)) for key, group in groups.items()}
