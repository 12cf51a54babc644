"""Sampling two contenders in pairs until every cell is decided or the time is spent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.plan.cell import Cell
from harness.report.compare.judging import Comparison, judged
from harness.report.compare.looks import looks
from harness.report.compare.pairing import Pair, Samples, setting
from harness.report.compare.thresholds import Thresholds
from harness.store import Stored

Cells: TypeAlias = tuple[Cell, Cell]
MeasurePair: TypeAlias = Callable[[Cells, int], Sequence[Stored]]
"""``(pair, round) -> rows``: both cells measured one after the other; fewer than two rows: interrupted."""
OnLook: TypeAlias = Callable[[int, int, int], None]
"""Hears ``(rounds so far, cells decided, cells)``."""
IGNORED = frozenset({"backend", "options", "python", "hosts"})


@dataclass
class _Sampled:
    """One pair of cells with what is known of it so far."""

    cells: Cells
    rows: tuple[list[Stored], list[Stored]] = field(default_factory=lambda: ([], []))
    comparison: Comparison | None = None

    @property
    def pair(self) -> Pair:
        before, after = self.rows
        return Pair(Samples(tuple(before)), Samples(tuple(after)))

    @property
    def open(self) -> bool:
        return self.comparison is None or self.comparison.verdict == "undecided"


@dataclass
class Sampler:
    """Measures rounds of all open pairs; a pair that is decided is measured no more and keeps its verdict."""

    measure: MeasurePair
    thresholds: Thresholds
    budget: float
    """Seconds; no pair is begun that would end after it, if it took as long as the slowest before."""
    on_look: OnLook = lambda _rounds, _decided, _cells: None
    clock: Callable[[], float] = time.monotonic
    seed: int = 0
    interrupted: bool = False
    slowest: float = 0.0

    def run(self, pairs: Sequence[Cells]) -> list[Comparison]:
        """Return one comparison a pair, in their order."""
        sampled = [_Sampled(cells) for cells in pairs]
        end, turn = self.clock() + self.budget, 0
        for rounds, level in looks():
            finished = True
            while turn < rounds and finished:
                finished = self._round(sampled, turn, end)
                turn += finished
            self._look(sampled, level)
            self.on_look(turn, sum(not one.open for one in sampled), len(sampled))
            if not finished or not any(one.open for one in sampled):
                break
        return [one.comparison for one in sampled if one.comparison is not None]

    def _round(self, sampled: Sequence[_Sampled], turn: int, end: float) -> bool:
        """Measure one round of every open pair; return whether it came to its end."""
        for one in self._order(sampled, turn):
            begun = self.clock()
            if begun + self.slowest > end:
                return False
            rows = self.measure(one.cells, turn)
            if len(rows) < 2:
                self.interrupted = True
                return False
            for row in rows:
                one.rows[row.row.cell.key == one.cells[1].key].append(row)
            self.slowest = max(self.slowest, self.clock() - begun)
        return True

    def _order(self, sampled: Sequence[_Sampled], turn: int) -> Iterator[_Sampled]:
        drawn = [one for one in sampled if one.open]
        random.Random(f"{self.seed}:{turn}").shuffle(drawn)  # noqa: S311  an order, not a secret
        yield from drawn

    def _look(self, sampled: Sequence[_Sampled], level: float) -> None:
        """Judge the open pairs with their share of what this look may spend, as if none had been decided before."""
        waiting = [one for one in sampled if one.open and all(one.rows)]
        machine = [one.rows[0][0].row.machine for one in waiting]
        settings = [_shown(one.cells[0], name) for one, name in zip(waiting, machine, strict=True)]
        share = level * len(waiting) / len(sampled)
        found = judged([(told, one.pair) for told, one in zip(settings, waiting, strict=True)], self.thresholds, share)
        for one, comparison in zip(waiting, found, strict=True):
            one.comparison = comparison


def _shown(cell: Cell, machine: str) -> dict[str, str | int]:
    return {name: value for name, value in setting(cell, machine).items() if name not in IGNORED}
