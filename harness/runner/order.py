"""The order in which cells are measured: rounds one after another, each in a fresh order drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from harness.plan.cell import Cell


@dataclass(frozen=True)
class Round:
    """What one round still has to measure, in order."""

    number: int
    cells: tuple[Cell, ...]


def ordered(
    cells: Iterable[Cell], rounds: int, seed: int, done: Collection[tuple[str, int]] = frozenset()
) -> list[Round]:
    """Return every round, each with every cell once, without those that are done.

    The order of a round depends on the cells, the seed and the round alone: a run that is started again continues in
    the order of the first.
    """
    distinct = sorted({cell.key: cell for cell in cells}.items())
    return [_round(distinct, number, seed, done) for number in range(rounds)]


def _round(cells: list[tuple[str, Cell]], number: int, seed: int, done: Collection[tuple[str, int]]) -> Round:
    drawn = list(cells)
    random.Random(f"{seed}:{number}").shuffle(drawn)  # noqa: S311  an order, not a secret
    return Round(number, tuple(cell for key, cell in drawn if (key, number) not in done))
