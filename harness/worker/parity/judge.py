"""Compare what a backend computed with the truth; pure, after the backend is closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness import reference
from harness.arrays import Array, Parameters
from harness.worker.observation import BatchResult
from harness.worker.parity.truth import Truth, flat, plain_pass
from harness.worker.problem import Problem

STRAY = 32.0
"""How many times the distance of plain NumPy a backend may stray: orders of summation differ, mathematics does not."""

FLOOR = 16.0
"""Roundings of the largest value of an array that are always allowed, where plain NumPy happens to be exact."""


@dataclass(frozen=True)
class Difference:
    """The worst array of one comparison: how far it is off, and how far it may be."""

    what: str
    error: float
    allowed: float

    @property
    def fine(self) -> bool:
        """Whether it is inside the tolerance; an error that is not a number is not."""
        return self.error <= self.allowed

    def __str__(self) -> str:
        """Return the sentence for the reason of a row."""
        return f"{self.what} differ from the float64 reference by {self.error:.3g}, allowed {self.allowed:.3g}"

    def facts(self) -> dict[str, Any]:
        """Return the figures for the receipt."""
        return {"worst": self.what, "error": self.error, "allowed": self.allowed}


def weights(found: Parameters, truth: Truth, unit: float, when: str) -> Difference:
    """Compare the weights after one epoch; ``unit`` is the rounding of the arithmetic that the backend uses."""
    scale = unit / float(np.finfo(np.float32).eps)
    names = list(_names("weights", "bias", len(found)))
    pairs = zip(names, flat(found), flat(truth.weights), truth.distances, strict=True)
    return _worst(
        Difference(f"the {name} after {when}", _error(array, exact), STRAY * scale * distance + _floor(exact, unit))
        for name, array, exact, distance in pairs
    )


def batch(problem: Problem, result: BatchResult, unit: float) -> tuple[Difference, Difference]:
    """Compare the outputs and the gradients of one batch, from the weights that the backend had then."""
    x, y = problem.x[result.rows], problem.y[result.rows]
    start = [(w.astype(np.float64), b.astype(np.float64)) for w, b in result.weights]
    passed = reference.forward(problem.network, start, x)
    exact = reference.backprop(problem.network, start, passed, y)
    single = [(w.astype(np.float32), b.astype(np.float32)) for w, b in start]
    plain_outputs, plain = plain_pass(problem.network, single, x.astype(np.float32), y.astype(np.float32))
    scale = STRAY * unit / float(np.finfo(np.float32).eps)

    def difference(what: str, array: Array, near: Array, true: Array) -> Difference:
        return Difference(what, _error(array, true), scale * _error(near, true) + _floor(true, unit))

    names = _names("weight gradients", "bias gradients", len(exact))
    rows = zip(names, flat(result.gradients), flat(plain), flat(exact), strict=True)
    outputs = difference("the outputs of one batch", result.outputs, plain_outputs, passed.outputs)
    return outputs, _worst(difference(f"the {name} of one batch", *arrays) for name, *arrays in rows)


def _names(weights: str, bias: str, layers: int) -> Iterable[str]:
    return (f"{kind} of layer {index}" for index in range(layers) for kind in (weights, bias))


def _error(array: Array, exact: Array) -> float:
    return float(np.abs(array.astype(np.float64) - exact).max()) if array.shape == exact.shape else float("nan")


def _floor(exact: Array, unit: float) -> float:
    return FLOOR * unit * float(np.abs(exact).max())


def _worst(differences: Iterable[Difference]) -> Difference:
    """Return the one furthest beyond, or nearest to, what it may be; one that is not a number comes first."""
    return max(differences, key=lambda one: np.inf if np.isnan(one.error) else one.error / max(one.allowed, 1e-300))
