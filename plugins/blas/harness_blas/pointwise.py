"""Activations, their slopes and the delta of the last layer, in place: the contract's activations allocate nothing.

An activation from a plugin has only its array-API form, which returns new arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from harness import Activation, Array
from harness.plugin import output_delta

IN_PLACE = frozenset({"linear", "sigmoid", "tanh", "relu"})
"""Activations whose slope can be computed from ``a`` alone, so that ``a`` may overwrite ``z``."""


class Stage(NamedTuple):
    """One layer of a batch. Every array is ``(rows, outputs)``; ``a`` is ``z`` itself for the names in ``IN_PLACE``."""

    activation: Activation
    z: Array
    a: Array
    delta: Array
    scratch: Array
    """Shared by all layers, so its content is valid only during one call."""


def activate(stage: Stage) -> None:
    """Compute ``a = f(z)``."""
    if stage.activation.name in IN_PLACE:
        _VALUES[stage.activation.name](stage.z, stage.a)
    else:
        stage.a[...] = stage.activation.value(np, stage.z)


def times_slope(stage: Stage) -> None:
    """Compute ``delta *= f'(z)``, elementwise."""
    f, z, a, delta, scratch = stage
    if f.name in IN_PLACE:
        _SLOPES[f.name](a, delta, scratch)
    else:
        delta *= f.slope(np, z, a)


def start_delta(loss: str, last: Stage, y: Array, rows: int) -> None:
    """Compute the last layer's ``delta`` for the mean loss over ``rows`` rows; the stage may hold a part of them."""
    f, z, a, delta, _ = last
    if loss == "ce":
        _softmax(a, delta)
        delta -= y
        delta *= 1.0 / rows
    elif loss == "bce" and f.name == "sigmoid":
        np.subtract(a, y, out=delta)
        delta *= 1.0 / rows
    elif loss == "mse":
        np.subtract(a, y, out=delta)
        delta *= 2.0 / rows
        times_slope(last)
    else:
        np.multiply(output_delta(loss, f, z, a, y), len(a) / rows, out=delta)


def _softmax(z: Array, a: Array) -> None:
    """Compute the softmax of every row, shifted by its maximum so that nothing overflows; allocate two columns."""
    np.subtract(z, z.max(axis=1, keepdims=True), out=a)
    np.exp(a, out=a)
    a /= a.sum(axis=1, keepdims=True)


def _linear(z: Array, a: Array) -> None:
    if a is not z:
        np.copyto(a, z)


def _sigmoid(z: Array, a: Array) -> None:
    """Compute the sigmoid. The lower limit keeps ``exp(-z)`` finite; below it a sigmoid is no normal number."""
    np.maximum(z, -87.0 if z.dtype == np.float32 else -708.0, out=a)
    np.negative(a, out=a)
    np.exp(a, out=a)
    a += 1
    np.reciprocal(a, out=a)


def _tanh(z: Array, a: Array) -> None:
    np.tanh(z, out=a)


def _relu(z: Array, a: Array) -> None:
    np.maximum(z, 0, out=a)


def _linear_slope(_a: Array, _delta: Array, _scratch: Array) -> None:
    """Do nothing, because the slope is 1."""


def _sigmoid_slope(a: Array, delta: Array, scratch: Array) -> None:
    np.subtract(1, a, out=scratch)
    scratch *= a
    delta *= scratch


def _tanh_slope(a: Array, delta: Array, scratch: Array) -> None:
    np.multiply(a, a, out=scratch)
    np.subtract(1, scratch, out=scratch)
    delta *= scratch


def _relu_slope(a: Array, delta: Array, scratch: Array) -> None:
    """Multiply by the sign of ``a``, which is the slope: 1 above 0, and 0 at 0."""
    np.sign(a, out=scratch)
    delta *= scratch


_VALUES: dict[str, Callable[[Array, Array], None]] = {
    "linear": _linear,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
}
_SLOPES: dict[str, Callable[[Array, Array, Array], None]] = {
    "linear": _linear_slope,
    "sigmoid": _sigmoid_slope,
    "tanh": _tanh_slope,
    "relu": _relu_slope,
}
