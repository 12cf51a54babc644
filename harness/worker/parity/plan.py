"""What parity can afford, from sizes alone, so that all ranks and all backends decide alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.contract.network import Network
from harness.plan.cell import Cell

BUDGET = 10.0
"""Seconds that the reference may take for one whole epoch; it is cached, so only the first backend pays."""

SHARE = 1 / 6
"""Part of a cell's time limit that the reference may take."""

HEAD = 1.0
"""Seconds that the reference may take on the head of a set that is too large."""

PIECE = 0.4
"""As much for each of the pieces that a long sample is trained again in."""

PIECES = 16
"""A piece is at most this part of the set."""

BATCH = 0.3
"""As much for the one batch, whose truth depends on the backend's own weights and so is never cached."""

SPEED = 4e9
"""Operations a second of the reference with its error bounds: a guess on the careful side for one core."""

TRAFFIC = 4e-8
"""Seconds a step and parameter: the reference makes new arrays at every step."""

LOOSE = 0.1
"""A tolerance of a larger part of the weights says nothing: rounding alone decides where such a run ends."""

CALLS = 1.5e-4
"""Seconds a step and layer that go into NumPy calls."""


@dataclass(frozen=True)
class Extent:
    """``rows``: how much of the training set the weights are compared on; ``batch``: the slice of the one batch.

    ``to_the_end``: the weights after the last epoch are compared too, so that a backend which is right once and idle
    under the clock is found out.
    """

    whole: bool
    rows: int
    batch: slice
    to_the_end: bool = False


def plan(cell: Cell, rows: int) -> Extent:
    """Return the plan for a training set of this many rows."""
    budget = min(BUDGET, cell.time_limit * SHARE)
    part = min(rows, cell.batch, _affordable_rows(cell.network, BATCH))
    epoch = cost(cell.network, rows, cell.batch)
    if epoch <= budget:
        return Extent(whole=True, rows=rows, batch=slice(0, part), to_the_end=epoch * (2 + cell.epochs) <= budget)
    return Extent(whole=False, rows=_head(cell, rows, min(HEAD, budget)), batch=slice(0, part))


def cost(network: Network, rows: int, batch: int) -> float:
    """Return an estimate in seconds of one epoch of the reference with its error bounds."""
    return rows * network.flops_per_example / SPEED + math.ceil(rows / batch) * _step(network)


def _head(cell: Cell, rows: int, budget: float) -> int:
    """Whole batches, then the same ragged tail as the full set where there is room; less than one batch if need be."""
    one = cost(cell.network, cell.batch, cell.batch)
    steps = int(budget / one)
    if steps < 1:
        return min(rows, _affordable_rows(cell.network, budget))
    return min(rows, steps * cell.batch + (rows % cell.batch if steps > 1 else 0))


def piece(cell: Cell, rows: int) -> int:
    """Return how many rows of whole batches the reference can train in ``PIECE`` seconds; 0 if not even one batch.

    A set has at least ``PIECES`` pieces where it has as many batches, so that the backend sees only small sets.
    """
    steps = int(PIECE / cost(cell.network, cell.batch, cell.batch))
    return min(steps, math.ceil(rows / cell.batch / PIECES)) * cell.batch


def shorter_heads(rows: int, batch: int) -> Iterator[int]:
    """Yield shorter and shorter heads: half as many whole batches each time, down to one batch."""
    count = rows // batch
    while count > 1:
        count //= 2
        yield count * batch


def _affordable_rows(network: Network, budget: float) -> int:
    return max(1, int((budget - _step(network)) * SPEED / network.flops_per_example))


def _step(network: Network) -> float:
    return network.parameter_count * TRAFFIC + len(network.layers) * CALLS
