"""Samples two backends in pairs until every cell is decided or the budget is spent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.plan.cell import Cell
from harness.report.compare.error_rate import looks
from harness.report.compare.pairing import Pair, Samples, setting
from harness.report.compare.verdicts import Comparison, Thresholds, judged
from harness.store import Stored

Cells: TypeAlias = tuple[Cell, Cell]
MeasurePair: TypeAlias = Callable[[Cells, int], Sequence[Stored]]
"""``(pair, round) -> rows``: measures both cells, one after the other; fewer than two rows mean an interrupt."""
OnLook: TypeAlias = Callable[[int, int, int], None]
"""Is called with ``(rounds so far, cells decided, cells)``."""
IGNORED = frozenset({"backend", "options", "python", "hosts"})


@dataclass
class _Sampled:
    """One pair of cells with its rows and its verdict so far."""

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
    """Measures rounds of all undecided pairs; a decided pair is not measured again and keeps its verdict."""

    measure: MeasurePair
    thresholds: Thresholds
    budget: float
    """Seconds. No pair is begun that would end later, if it took as long as the slowest so far."""
    on_look: OnLook = lambda _rounds, _decided, _cells: None
    clock: Callable[[], float] = time.monotonic
    seed: int = 0
    interrupted: bool = False
    slowest: float = 0.0

    def run(self, pairs: Sequence[Cells]) -> list[Comparison]:
        """Return one comparison for each pair that was measured, in the order of the pairs."""
        sampled = [_Sampled(cells) for cells in pairs]
        end, turn = self.clock() + self.budget, 0
        for rounds, level in looks():
            finished = True
            while turn < rounds and finished:
                finished = self._round(sampled, turn, end)
                turn += finished
            self._look(sampled, level)
            self.on_look(turn, sum(not pair.open for pair in sampled), len(sampled))
            if not finished or not any(pair.open for pair in sampled):
                break
        return [pair.comparison for pair in sampled if pair.comparison is not None]

    def _round(self, sampled: Sequence[_Sampled], turn: int, end: float) -> bool:
        """Measure one round of every undecided pair; return whether the round was completed."""
        for pair in self._order(sampled, turn):
            begun = self.clock()
            if begun + self.slowest > end:
                return False
            rows = self.measure(pair.cells, turn)
            if len(rows) < 2:
                self.interrupted = True
                return False
            for row in rows:
                pair.rows[row.row.cell.key == pair.cells[1].key].append(row)
            self.slowest = max(self.slowest, self.clock() - begun)
        return True

    def _order(self, sampled: Sequence[_Sampled], turn: int) -> Iterator[_Sampled]:
        drawn = [pair for pair in sampled if pair.open]
        random.Random(f"{self.seed}:{turn}").shuffle(drawn)  # noqa: S311  an order, not a secret
        yield from drawn

    def _look(self, sampled: Sequence[_Sampled], level: float) -> None:
        """Judge the undecided pairs with their share of the level of this look, as if none had been decided before."""
        waiting = [pair for pair in sampled if pair.open and all(pair.rows)]
        settings = [_shown(pair.cells[0], pair.rows[0][0].row.machine) for pair in waiting]
        pairs = [(setting, pair.pair) for setting, pair in zip(settings, waiting, strict=True)]
        comparisons = judged(pairs, self.thresholds, level * len(waiting) / len(sampled))
        for pair, comparison in zip(waiting, comparisons, strict=True):
            pair.comparison = comparison


def _shown(cell: Cell, machine: str) -> dict[str, str | int]:
    return {name: value for name, value in setting(cell, machine).items() if name not in IGNORED}
