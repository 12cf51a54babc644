"""The kernels of Khandait et al.: one thread an element, no shared memory, no atomics.

Matrices are row-major with one row a neuron and one column an example, and the bias is a column of its own. Products
run in blocks of 16 by 16 threads: x of the grid along the columns of what is written, y over its rows. Elementwise
kernels run in blocks of 64 threads. ``dz`` is the gradient of one example's loss by ``z``.

Each function of this module is a template that returns the kernel for a dtype and, where it calls one, an activation.
"""

from __future__ import annotations

import functools
from typing import Any

from harness_cuda.device import DeviceArray, Real, cuda, kernel

EDGE = 16
"""Threads of a block along each side of a product."""

LINE = 64
"""Threads of a block of an elementwise kernel."""


@functools.cache
def linear_forward(_real: Real) -> Any:
    """``Z = W @ A + b``."""

    @kernel
    def linear_forward(
        weights: DeviceArray, bias: DeviceArray, below: DeviceArray, start: int, count: int, z: DeviceArray
    ) -> None:
        example, neuron = cuda.grid(2)
        if neuron < weights.shape[0] and example < count:
            total = bias[neuron, 0]
            for k in range(weights.shape[1]):
                total += weights[neuron, k] * below[k, start + example]
            z[neuron, example] = total

    return linear_forward


@functools.cache
def activation_forward(_real: Real, value: Any) -> Any:
    """``A = f(Z)``."""

    @kernel
    def activation_forward(z: DeviceArray, count: int, a: DeviceArray) -> None:
        index = cuda.grid(1)
        neuron, example = index // count, index % count
        if neuron < z.shape[0]:
            a[neuron, example] = value(z[neuron, example])

    return activation_forward


@functools.cache
def loss_backward(_real: Real, error: Any) -> Any:
    """``dA`` of the last layer: the gradient of one example's loss."""

    @kernel
    def loss_backward(outputs: DeviceArray, targets: DeviceArray, start: int, count: int, da: DeviceArray) -> None:
        index = cuda.grid(1)
        neuron, example = index // count, index % count
        if neuron < outputs.shape[0]:
            da[neuron, example] = -error(outputs[:, example], neuron, targets[neuron, start + example])

    return loss_backward


@functools.cache
def activation_backward(_real: Real, slope: Any) -> Any:
    """``dZ = dA * f'(Z)`` in place, with the activation that was kept."""

    @kernel
    def activation_backward(z: DeviceArray, a: DeviceArray, count: int, dz: DeviceArray) -> None:
        index = cuda.grid(1)
        neuron, example = index // count, index % count
        if neuron < dz.shape[0]:
            dz[neuron, example] *= slope(z[neuron, example], a[neuron, example])

    return activation_backward


@functools.cache
def activation_backward_again(_real: Real, value: Any, slope: Any) -> Any:
    """``dZ = dA * f'(Z)`` in place, with the activation computed again from ``Z``, as the study did it."""

    @kernel
    def activation_backward_again(z: DeviceArray, count: int, dz: DeviceArray) -> None:
        index = cuda.grid(1)
        neuron, example = index // count, index % count
        if neuron < dz.shape[0]:
            dz[neuron, example] *= slope(z[neuron, example], value(z[neuron, example]))

    return activation_backward_again


@functools.cache
def linear_backward(real: Real) -> Any:
    """``dA = W.T @ dZ`` for the layer below: a column of W times a column of dZ."""

    @kernel
    def linear_backward(weights: DeviceArray, dz: DeviceArray, count: int, da: DeviceArray) -> None:
        example, source = cuda.grid(2)
        if source < weights.shape[1] and example < count:
            total = real(0.0)
            for neuron in range(weights.shape[0]):
                total += weights[neuron, source] * dz[neuron, example]
            da[source, example] = total

    return linear_backward


@functools.cache
def linear_update(real: Real) -> Any:
    """``W = before + scale * dZ @ A.T``: one thread a weight."""

    @kernel
    def linear_update(  # noqa: PLR0917  the equation has so many
        dz: DeviceArray,
        below: DeviceArray,
        start: int,
        count: int,
        scale: Any,
        before: DeviceArray,
        after: DeviceArray,
    ) -> None:
        k, neuron = cuda.grid(2)
        if neuron < after.shape[0] and k < after.shape[1]:
            total = real(0.0)
            for example in range(count):
                total += dz[neuron, example] * below[k, start + example]
            after[neuron, k] = before[neuron, k] + scale * total

    return linear_update


@functools.cache
def bias_update(real: Real) -> Any:
    """``b = before + scale * sum of dZ``: one thread a row, which nobody else writes, so no atomics."""

    @kernel
    def bias_update(dz: DeviceArray, count: int, scale: Any, before: DeviceArray, after: DeviceArray) -> None:
        neuron = cuda.grid(1)
        if neuron < after.shape[0]:
            total = real(0.0)
            for example in range(count):
                total += dz[neuron, example]
            after[neuron, 0] = before[neuron, 0] + scale * total

    return bias_update
