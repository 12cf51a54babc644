"""The truth: what the float64 reference makes of some epochs, and how far a right backend may be from it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from harness.contract.arrays import Array, Parameters
from harness.contract.tolerance import Trained, after_training, epochs
from harness.plan.cell import Cell
from harness.worker.problem import Problem


def compute(problem: Problem, count: int) -> Trained:
    """Train ``count`` epochs by the reference, with its shadows that say what rounding may do to this very run."""
    cell = problem.cell
    schedule = epochs(problem.rows, cell.batch, cell.rate, count)
    with np.errstate(all="ignore"):  # a reference that overflows is judged by its values
        return after_training(problem.network, problem.start, problem.x, problem.y, schedule, precision(cell))


def precision(cell: Cell) -> str:
    """Return the row of the tolerance table: the cell's reserved option, ``ieee`` for backends without it."""
    return str(cell.options.get("precision", "ieee"))


def flat(parameters: Parameters) -> Iterable[Array]:
    """Yield every array of the parameters, weights before bias, from the first layer to the last."""
    return (array for pair in parameters for array in pair)


def finite(truth: Trained) -> bool:
    """Return whether the reference itself stayed finite, and with it what is allowed."""
    return all(bool(np.isfinite(array).all()) for side in truth for array in flat(side))


def visible(problem: Problem, truth: Trained) -> float:
    """Return how many tolerances the epoch moved the array that shows it least; below a few, parity says little.

    An array that does not move at all, as all but the last do from zero weights, has nothing to show.
    """
    triples = zip(flat(truth.parameters), flat(problem.start), flat(truth.allowed), strict=True)
    moves = [(float(np.abs(after - before).max()), float(np.median(room))) for after, before, room in triples]
    return min((moved / max(room, np.finfo(np.float64).tiny) for moved, room in moves if moved), default=0.0)
