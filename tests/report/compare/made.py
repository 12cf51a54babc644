"""Rows with known times, as a store returns them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.report.compare import Side
from harness.store import Stored
from tests.samples import a_cell, a_row

CLOCK = itertools.count(1)
"""Each made row starts at another time, so that no two rows are the same one."""
PLAIN: Mapping[str, Any] = {"receipt": {}, "warnings": ()}


def stored(
    times: Sequence[float], *, run: str = "r", label: str = "", row: Mapping[str, Any] | None = None, **cell: Any
) -> list[Stored]:
    """One cell measured in as many rounds as there are times."""
    made = a_cell(**cell)
    return [
        Stored(
            row=a_row(made, turn, **{**PLAIN, "started": float(next(CLOCK)), "epoch_seconds": (time,), **(row or {})}),
            run=run,
            code="1+a",
            plugin="p",
            label=label,
            attempt=1,
        )
        for turn, time in enumerate(times)
    ]


def side(*cells: Sequence[Stored], word: str = "A.db") -> Side:
    return Side("store", word, tuple(row for cell in cells for row in cell))


def noisy(rng: np.random.Generator, rounds: int, *, sigma: float = 0.03, spikes: float = 0.1) -> tuple[Any, Any]:
    """Times of two equals in pairs, as a shared machine gives them: a drift that both see, noise, and bursts."""
    drift = 1 + 0.2 * np.sin(np.linspace(0, 3, rounds) + rng.uniform(0, 6))

    def times() -> Any:
        burst = np.where(rng.random(rounds) < spikes, rng.exponential(0.3, rounds), 0)
        return 0.01 * drift * np.exp(rng.normal(0, sigma, rounds) + burst)

    return times(), times()
