"""The loops of ``linalg``: one example at a time, as the studies write them. No BLAS, no minibatch product.

``layers`` is the table from ``layout``; ``theta`` and ``gradient`` are flat arrays. Each row of ``z``, ``a`` and
``delta`` is one example and holds the neurons of all layers side by side.
"""

# ruff: noqa: PLR0913, PLR0917  kernels take arrays, not objects
from __future__ import annotations

from typing import Any

from harness import Array
from harness_numba.jit import inlined, kernel, reassociated
from harness_numba.pointwise import output_delta, slope, value


@inlined
def _affine(x: Array, weights: Array, bias: Array, z: Array) -> None:
    """Compute ``z = x W + b``, row by row of W."""
    for j in range(len(bias)):
        z[j] = bias[j]
    for i in range(len(x)):
        x_i, row = x[i], weights[i]
        for j in range(len(z)):
            z[j] += x_i * row[j]


@inlined
def _add_outer(scale: float, x: Array, delta: Array, weights: Array, bias: Array) -> None:
    """Compute ``W += scale x' delta`` and ``b += scale delta``."""
    for i in range(len(x)):
        x_i, row = scale * x[i], weights[i]
        for j in range(len(delta)):
            row[j] += x_i * delta[j]
    for j in range(len(delta)):
        bias[j] += scale * delta[j]


@reassociated
def _dot(x: Array, y: Array) -> Any:
    total = x[0] * y[0]
    for j in range(1, len(x)):
        total += x[j] * y[j]
    return total


@inlined
def _weights(layer: Any, theta: Array) -> Array:
    return theta[layer.weights : layer.bias].reshape((layer.inputs, layer.outputs))


@kernel
def forward(layers: Array, theta: Array, x: Array, z: Array, a: Array) -> None:
    """Forward propagation of every row of ``x``, one after the other."""
    for row in range(len(x)):
        below = x[row]
        for layer in layers:
            first, last = layer.neurons, layer.neurons + layer.outputs
            _affine(below, _weights(layer, theta), theta[layer.bias : layer.end], z[row, first:last])
            for j in range(first, last):
                a[row, j] = value(layer.kind, layer.value, z[row, j])
            below = a[row, first:last]


@kernel
def backprop(
    loss: int,
    rows: int,
    layers: Array,
    theta: Array,
    x: Array,
    y: Array,
    z: Array,
    a: Array,
    delta: Array,
    scale: Any,
    gradient: Array,
) -> None:
    """Backpropagation of every row of ``x``, which is part of a batch of ``rows``. Add ``scale`` times the gradients.

    If the batch is one example, ``gradient`` may be ``theta`` itself, because all deltas are known before the first
    weight changes.
    """
    top = layers[len(layers) - 1]
    first, last = top.neurons, top.neurons + top.outputs
    for row in range(len(x)):
        output_delta(
            loss, top.kind, top.slope, z[row, first:last], a[row, first:last], y[row], rows, delta[row, first:last]
        )
        for index in range(len(layers) - 1, 0, -1):
            _delta_below(layers[index], layers[index - 1], theta, z[row], a[row], delta[row])
        below = x[row]
        for layer in layers:
            own = delta[row, layer.neurons : layer.neurons + layer.outputs]
            _add_outer(scale, below, own, _weights(layer, gradient), gradient[layer.bias : layer.end])
            below = a[row, layer.neurons : layer.neurons + layer.outputs]


@inlined
def _delta_below(layer: Any, lower: Any, theta: Array, z: Array, a: Array, delta: Array) -> None:
    """Compute ``delta_below = (delta W') f'(z_below)``."""
    weights = _weights(layer, theta)
    own = delta[layer.neurons : layer.neurons + layer.outputs]
    for i in range(lower.outputs):
        at = lower.neurons + i
        delta[at] = _dot(weights[i], own) * slope(lower.kind, lower.slope, z[at], a[at])


@kernel
def add_up(gradients: Array, first: int, last: int) -> None:
    """Add the partial gradients of all workers, which are the rows, into row 0, from ``first`` to ``last``."""
    total = gradients[0]
    for worker in range(1, len(gradients)):
        part = gradients[worker]
        for j in range(first, last):
            total[j] += part[j]


@kernel
def descend(rate: Any, gradient: Array, theta: Array) -> None:
    """Compute ``theta -= rate gradient``."""
    for j in range(len(theta)):
        theta[j] -= rate * gradient[j]
