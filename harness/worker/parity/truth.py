"""The truth: the reference's weights after one epoch, and how far plain NumPy in the network's dtype strays from them.

The distance of plain NumPy is the yardstick over a whole epoch: rounding errors grow with every step in a way that no
bound of practical use describes, but they grow alike for everyone who computes the same thing in the same dtype.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness import reference
from harness.arrays import Array, Parameters, copied
from harness.batching import batches
from harness.losses import output_delta
from harness.network import Network
from harness.registry import activation
from harness.worker.problem import Problem


@dataclass(frozen=True)
class Truth:
    """Float64 weights after one epoch and, for each array in order, the largest distance of plain NumPy from it."""

    weights: Parameters
    distances: tuple[float, ...]

    @property
    def finite(self) -> bool:
        """Whether the reference itself stayed finite."""
        return all(np.isfinite(array).all() for array in flat(self.weights))


def compute(problem: Problem) -> Truth:
    """Train one epoch twice: the reference in float64, and plain NumPy in float32 as the yardstick."""
    cell = problem.cell
    with np.errstate(all="ignore"):  # what overflows is judged by the caller
        exact = reference.train_epoch(problem.network, problem.start, problem.x, problem.y, cell.batch, cell.rate)
        plain = plain_epoch(problem)
        distances = tuple(float(np.abs(p - e).max()) for p, e in zip(flat(plain), flat(exact), strict=True))
    return Truth(exact, distances)


def flat(parameters: Parameters) -> Iterable[Array]:
    """Yield every array of the parameters, weights before bias, from the first layer to the last."""
    return (array for pair in parameters for array in pair)


def plain_epoch(problem: Problem) -> Parameters:
    """Return the weights after one epoch of NumPy in float32, updated in place, as anyone would write it."""
    network, rate = problem.network, np.float32(problem.cell.rate)
    parameters = copied(problem.start, "float32")
    x, y = problem.x.astype(np.float32, copy=False), problem.y.astype(np.float32, copy=False)
    for rows in batches(problem.rows, problem.cell.batch):
        _, gradients = plain_pass(network, parameters, x[rows], y[rows])
        for (weights, bias), (dw, db) in zip(parameters, gradients, strict=True):
            np.subtract(weights, rate * dw, out=weights)
            np.subtract(bias, rate * db, out=bias)
    return parameters


def plain_pass(network: Network, parameters: Parameters, x: Array, y: Array) -> tuple[Array, Parameters]:
    """Return outputs and gradients of one batch by NumPy in the dtype of its arguments."""
    kinds = [activation(layer.activation) for layer in network.layers]
    zs, a = [], [x]
    for kind, (weights, bias) in zip(kinds, parameters, strict=True):
        zs.append(a[-1] @ weights + bias)
        a.append(kind.value(np, zs[-1]))
    delta = output_delta(network.loss, kinds[-1], zs[-1], a[-1], y)
    gradients: Parameters = []
    for index in reversed(range(len(kinds))):
        gradients.insert(0, (a[index].T @ delta, delta.sum(axis=0)))
        if index:
            delta = (delta @ parameters[index][0].T) * kinds[index - 1].slope(np, zs[index - 1], a[index])
    return a[-1], gradients
