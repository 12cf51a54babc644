"""Few rows that hold every pair of values of every two axes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any


def pairwise(axes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Return rows, one value an axis, such that any two values of different axes meet in some row.

    Greedy: always the row that holds most pairs not seen yet, the first of equals, so the answer never changes.
    """
    rows = list(itertools.product(*(range(len(axis)) for axis in axes)))
    wanted = {pair for row in rows for pair in _pairs(row)}
    chosen: list[tuple[int, ...]] = []
    while wanted:
        best = max(rows, key=lambda row: len(wanted.intersection(_pairs(row))))
        wanted.difference_update(_pairs(best))
        chosen.append(best)
    return [tuple(axis[index] for axis, index in zip(axes, row, strict=True)) for row in chosen]


def _pairs(row: tuple[int, ...]) -> list[tuple[tuple[int, int], ...]]:
    return list(itertools.combinations(enumerate(row), 2))
