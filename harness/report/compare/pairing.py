"""Which cells of two sides belong together: those that agree in everything that must be equal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from harness.plan.cell import Cell
from harness.report.moments import Moment, comparable, times_by_moment
from harness.report.statistics import shared
from harness.store import Stored

Setting: TypeAlias = Mapping[str, str | int]
FAULTS = frozenset({"crashed", "error", "out-of-memory", "diverged", "wrong"})
"""States in which the backend itself failed to give a time."""


def setting(cell: Cell, machine: str) -> dict[str, str | int]:
    """Return what tells cells apart, as it is shown. Limits, and what only a report reads, make no difference."""
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
        """Seconds per epoch, the median of each round; empty if any round is wrong."""
        return times_by_moment(self.rows)

    @property
    def state(self) -> str:
        """``ok`` if there are times; otherwise the most common other state, but ``wrong`` before all others.

        It is ``not comparable`` if the only rounds that are ok could not be compared with the reference.
        """
        counts = Counter(stored.row.state for stored in self.rows)
        others = [state for state, _ in counts.most_common() if state != "ok"]
        if "wrong" in counts:
            return "wrong"
        if not self.times and not all(comparable(stored.row) for stored in self.rows):
            return "not comparable"
        return "ok" if self.times or not others else others[0]

    @property
    def lost(self) -> int:
        """The number of rounds that gave no time."""
        return len(self.rows) - len(self.times)

    @cached_property
    def faults(self) -> frozenset[tuple[str, int]]:
        """The run and round of each row in which the backend itself failed."""
        return frozenset((stored.run, stored.row.round) for stored in self.rows if stored.row.state in FAULTS)

    @property
    def timed_out(self) -> bool:
        """Whether any round reached its time limit, so that its time is only known to be longer."""
        return any(stored.row.state == "timeout" for stored in self.rows)

    @property
    def cell(self) -> Cell:
        """The cell, or one of several that differ in nothing that counts."""
        return self.rows[0].row.cell


@dataclass(frozen=True)
class Pair:
    """One cell on both sides."""

    before: Samples
    after: Samples

    @cached_property
    def shared(self) -> tuple[Moment, ...]:
        """The moments in which one run measured both sides."""
        return shared(self.before.times, self.after.times)

    @property
    def paired(self) -> bool:
        """Whether to compare pairs: at least half of the samples of the smaller side were measured in pairs."""
        return 2 * len(self.shared) >= max(1, min(len(self.before.times), len(self.after.times)))

    @property
    def logs(self) -> list[float]:
        """The log ratio of each pair: after divided by before."""
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
    for stored in rows:
        every = setting(stored.row.cell, stored.row.machine)
        key = tuple((name, value) for name, value in every.items() if name not in ignored)
        groups.setdefault(key, []).append(stored)
    return {key: Samples(tuple(group)) for key, group in groups.items()}
