"""The second oracle: central differences of a backend's own outputs. It shares no code with the reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from harness.contract.arrays import Array, Parameters

STEP = {"float32": 0.01, "float64": 1e-4}
"""The length by which the weights are moved: large enough for rounding, small enough for curvature."""

Outputs = Callable[[Parameters], Array]
"""Returns the outputs of a backend that starts with these parameters."""


class Slope(NamedTuple):
    """The derivative of the loss along one direction, and its largest possible error."""

    value: float
    error: float


def loss(name: str, a: Array, y: Array) -> float:
    """Return the mean loss over the rows in float64, computed directly from its definition."""
    a, y = a.astype(np.float64), y.astype(np.float64)
    if name == "mse":
        total = ((a - y) ** 2).sum()
    elif name == "bce":
        with np.errstate(divide="ignore"):
            total = -(y * np.log(a).clip(-100) + (1 - y) * np.log(1 - a).clip(-100)).sum()
    else:
        total = (y * (np.logaddexp.reduce(a, axis=1, keepdims=True) - a)).sum()
    return float(total) / len(a)


def slope(name: str, outputs: Outputs, at: Parameters, direction: Parameters, y: Array) -> Slope:
    """Return the derivative of the loss at ``at`` along ``direction``, a move of length 1.

    Two step sizes together give an estimate without the leading error. Their difference bounds the remaining error,
    also at kinks; the rounding of the outputs is added.
    """
    dtype = str(at[0][0].dtype)
    step, unit = STEP[dtype], float(np.finfo(dtype).eps)
    wide, near = (_Quotient.at(name, outputs, at, direction, y, size) for size in (step, step / 2))
    rounding = 32 * unit * (1 + abs(near.level)) / step
    return Slope((4 * near.value - wide.value) / 3, abs(near.value - wide.value) + rounding)


class _Quotient(NamedTuple):
    """A central difference, and the loss in the middle."""

    value: float
    level: float

    @classmethod
    def at(cls, name: str, outputs: Outputs, at: Parameters, direction: Parameters, y: Array, size: float) -> _Quotient:
        above, below = moved(at, direction, size), moved(at, direction, -size)
        high, low = loss(name, outputs(above), y), loss(name, outputs(below), y)
        return cls((high - low) / (along(above, direction) - along(below, direction)), (high + low) / 2)


def moved(at: Parameters, direction: Parameters, size: float) -> Parameters:
    """Return the parameters moved by ``size`` along a direction and rounded to their dtype."""
    return [
        ((w + size * dw).astype(w.dtype), (b + size * db).astype(b.dtype))
        for (w, b), (dw, db) in zip(at, direction, strict=True)
    ]


def along(parameters: Parameters, direction: Parameters) -> float:
    """Return the inner product of parameters, or gradients, with a direction."""
    pairs = zip(parameters, direction, strict=True)
    return math.fsum(float((p.astype(np.float64) * d).sum()) for ps, ds in pairs for p, d in zip(ps, ds, strict=True))


def everywhere(parameters: Parameters, seed: int) -> Parameters:
    """Return a random move of length 1 that moves every weight and bias by the same amount."""
    random = np.random.default_rng(seed)
    signs = [(random.choice((-1.0, 1.0), w.shape), random.choice((-1.0, 1.0), b.shape)) for w, b in parameters]
    length = math.sqrt(sum(w.size + b.size for w, b in signs))
    return [(w / length, b / length) for w, b in signs]


def one_by_one(parameters: Parameters, seed: int) -> Iterator[tuple[str, Parameters]]:
    """Yield the name of every array with a random move of length 1 of this array alone, to find the wrong one."""
    random = np.random.default_rng(seed)
    for layer, pair in enumerate(parameters):
        for side, part in enumerate(("weights", "bias")):
            move = [(np.zeros(w.shape), np.zeros(b.shape)) for w, b in parameters]
            signs = random.choice((-1.0, 1.0), pair[side].shape)
            move[layer][side][:] = signs / math.sqrt(signs.size)
            yield f"{part} of layer {layer}", move
