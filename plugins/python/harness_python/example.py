"""Forward propagation and backpropagation of one example, as the papers write them (algorithms 4 and 5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from harness import Network, Unsupported, activation
from harness_python.algebra import Matrix, Vector, Weights, add, add_outer, affine, product


class Function(NamedTuple):
    """The scalar form of an activation: ``value(z)`` and ``slope(z, a)``."""

    name: str
    value: Callable[[float], float]
    slope: Callable[[float, float], float]


class Trace(NamedTuple):
    """The values that the forward pass of one example keeps: ``z[k]`` and ``a[k]``; ``a[0]`` is the example."""

    z: list[Vector]
    a: list[Vector]


def functions(network: Network) -> list[Function]:
    """Return the activation of every layer; one without a scalar form is ``Unsupported``."""
    return [_function(layer.activation) for layer in network.layers]


def _function(name: str) -> Function:
    function = activation(name)
    if function.scalar_value is None or function.scalar_slope is None:
        raise Unsupported(f"activation {name!r} has no scalar form, which pure Python needs")
    return Function(name, function.scalar_value, function.scalar_slope)


def forward(layers: list[Function], weights: Weights, x: Vector) -> Trace:
    """Forward propagation: ``z = W a + b`` and ``a = f(z)``, layer by layer."""
    trace = Trace([], [x])
    for f, (w, b) in zip(layers, weights, strict=True):
        z = affine(w, b, trace.a[-1])
        trace.z.append(z)
        trace.a.append([f.value(value) for value in z])
    return trace


def backprop(
    layers: list[Function], columns: list[Matrix], loss: str, trace: Trace, y: Vector, gradients: Weights
) -> None:
    """Add this example's gradients into ``gradients``, from the last layer to the first.

    ``columns[k]`` holds the weights of layer ``k`` by input, so that ``W.T delta`` is a row at a time.
    """
    delta = output_delta(loss, layers[-1], trace.z[-1], trace.a[-1], y)
    for k in range(len(layers) - 1, -1, -1):
        dw, db = gradients[k]
        add_outer(dw, delta, trace.a[k])
        add(db, delta)
        if k:
            slope = layers[k - 1].slope
            pairs = zip(product(columns[k], delta), trace.z[k - 1], trace.a[k], strict=True)
            delta = [error * slope(z, a) for error, z, a in pairs]


def output_delta(loss: str, f: Function, z: Vector, a: Vector, y: Vector) -> Vector:
    """Return the gradient of one example's loss by ``z`` of the last layer."""
    if loss == "ce":
        return [p - target for p, target in zip(softmax(a), y, strict=True)]
    if loss == "bce" and f.name == "sigmoid":
        return [value - target for value, target in zip(a, y, strict=True)]
    by_a = _bce_slope if loss == "bce" else _mse_slope
    return [by_a(value, target) * f.slope(s, value) for s, value, target in zip(z, a, y, strict=True)]


def softmax(z: Vector) -> Vector:
    """Return the softmax, shifted by the maximum so that nothing overflows."""
    top = max(z)
    e = [math.exp(value - top) for value in z]
    total = sum(e)
    return [value / total for value in e]


def _mse_slope(a: float, y: float) -> float:
    return 2.0 * (a - y)


def _bce_slope(a: float, y: float) -> float:
    return (a - y) / (a * (1.0 - a)) if 0.0 < a < 1.0 else 0.0
