"""The loops of ``neurons``: one sample at a time, each layer's neurons divided among the threads of a parallel region.

Each row of the stored weights belongs to one neuron, so that a thread owns whole rows: no other thread reads them in
the forward pass or writes them in the update. Every ``prange`` over the team forks and joins once, as a ``parallel
for`` of OpenMP does: twice in each layer for each sample, and three times in a hidden layer.
"""

# ruff: noqa: PLR0913, PLR0917  kernels take arrays, not objects
from __future__ import annotations

from typing import Any

from numba import prange

from harness import Array
from harness_numba.jit import inlined, kernel, parallel, reassociated
from harness_numba.pointwise import output_delta, slope, value


@reassociated
def _dot(x: Array, y: Array) -> Any:
    total = x[0] * y[0]
    for i in range(1, len(x)):
        total += x[i] * y[i]
    return total


@inlined
def _weights(layer: Any, theta: Array) -> Array:
    """Return a layer's weights; each row holds the incoming weights of one neuron."""
    return theta[layer.weights : layer.bias].reshape((layer.outputs, layer.inputs))


@inlined
def _activations(layers: Array, index: int, x: Array, a: Array) -> Array:
    """Return the input of layer ``index``: the sample, or the activations of the layer below."""
    if index == 0:
        return x
    lower = layers[index - 1]
    return a[lower.neurons : lower.neurons + lower.outputs]


@kernel
def fire(layer: Any, theta: Array, below: Array, z: Array, a: Array, first: int, last: int) -> None:
    """Compute ``a = f(x W + b)`` for neurons ``first`` to ``last`` of a layer."""
    weights = _weights(layer, theta)
    for j in range(first, last):
        at = layer.neurons + j
        z[at] = theta[layer.bias + j] + _dot(weights[j], below)
        a[at] = value(layer.kind, layer.value, z[at])


@kernel
def blame(layer: Any, lower: Any, theta: Array, z: Array, a: Array, delta: Array, first: int, last: int) -> None:
    """Compute the deltas of neurons ``first`` to ``last`` of ``lower`` from those of the layer above it."""
    weights = _weights(layer, theta)
    own = delta[lower.neurons + first : lower.neurons + last]
    for i in range(len(own)):
        own[i] = 0
    for k in range(layer.outputs):
        delta_k, row = delta[layer.neurons + k], weights[k, first:last]
        for i in range(len(own)):
            own[i] += delta_k * row[i]
    for i in range(len(own)):
        at = lower.neurons + first + i
        own[i] *= slope(lower.kind, lower.slope, z[at], a[at])


@kernel
def learn(layer: Any, scale: Any, below: Array, delta: Array, gradient: Array, first: int, last: int) -> None:
    """Add ``scale`` times the gradient of neurons ``first`` to ``last`` of a layer."""
    weights = _weights(layer, gradient)
    for j in range(first, last):
        scaled, row = scale * delta[layer.neurons + j], weights[j]
        for i in range(len(below)):
            row[i] += scaled * below[i]
        gradient[layer.bias + j] += scaled


@parallel
def forward(team: int, layers: Array, theta: Array, x: Array, z: Array, a: Array) -> None:
    """Propagate every sample of ``x`` forward, one after the other; ``team`` threads work on each layer."""
    for row in range(len(x)):
        for index in range(len(layers)):
            for thread in prange(team):
                layer = layers[index]
                first, last = thread * layer.outputs // team, (thread + 1) * layer.outputs // team
                fire(layer, theta, _activations(layers, index, x[row], a[row]), z[row], a[row], first, last)


@parallel
def backprop(
    team: int,
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
    """Propagate every sample of ``x``, a batch of ``rows``, back: add ``scale`` times its gradients to ``gradient``.

    If the batch is one sample, ``gradient`` may be ``theta`` itself, because all deltas are known before the first
    weight changes.
    """
    for row in range(len(x)):
        top = layers[len(layers) - 1]
        outputs = slice(top.neurons, top.neurons + top.outputs)
        output_delta(loss, top.kind, top.slope, z[row, outputs], a[row, outputs], y[row], rows, delta[row, outputs])
        for index in range(len(layers) - 1, 0, -1):
            for thread in prange(team):
                layer, lower = layers[index], layers[index - 1]
                first, last = thread * lower.outputs // team, (thread + 1) * lower.outputs // team
                blame(layer, lower, theta, z[row], a[row], delta[row], first, last)
        for index in range(len(layers)):
            for thread in prange(team):
                layer = layers[index]
                first, last = thread * layer.outputs // team, (thread + 1) * layer.outputs // team
                below = _activations(layers, index, x[row], a[row])
                learn(layer, scale, below, delta[row], gradient, first, last)


@kernel
def descend(rate: Any, gradient: Array, theta: Array) -> None:
    """Compute ``theta -= rate gradient``, at the end of a batch of several samples."""
    for j in range(len(theta)):
        theta[j] -= rate * gradient[j]
