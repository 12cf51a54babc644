"""The five kernels of Kamra et al., section 4, for tiles of ``tile`` by ``tile`` threads in shared memory.

The layouts are the published ones. Activations and deltas are column-major, one column an example, which is the same
memory as a C-ordered matrix with one row an example, and so they are indexed here. Weights are row-major, one row a
neuron, and their last column is the bias. A delta is *minus* the gradient of one example's loss, as in equation 8.

Each function of this module is a template, as in the paper: it returns the kernel for a dtype, a tile and, where the
kernel calls one, an activation. ``threadIdx.x`` runs along the contiguous side of every matrix in global memory, so all
loads and stores there are coalesced. A tile that the threads of a warp must then read downwards is stored transposed,
with one column of padding, so that neither the store nor the reads meet in one bank.

A block covers ``tile`` examples along x of the grid, which has no narrow limit, and ``tile`` neurons along y. No thread
leaves before the last barrier: one that has no element of its own helps to load the tiles.
"""

from __future__ import annotations

import functools
from typing import Any

from harness_cuda.device import DeviceArray, Real, cuda, inner, kernel


@functools.cache
def _weighted_sum(real: Real, tile: int) -> Any:
    """The tiled product that ``forward`` and the recomputed slope share: ``W @ a + b`` for this thread's element."""
    padded = tile + 1

    @inner
    def weighted_sum(weights: DeviceArray, below: DeviceArray, start: int, count: int) -> Any:
        weights_tile = cuda.shared.array((tile, padded), real)
        below_tile = cuda.shared.array((tile, tile), real)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        first_neuron, example = cuda.blockIdx.y * tile, cuda.blockIdx.x * tile + y
        neurons, inputs = weights.shape[0], weights.shape[1] - 1
        total = weights[first_neuron + x, inputs] if first_neuron + x < neurons else real(0.0)
        for first in range(0, inputs, tile):
            k = first + x
            inside = k < inputs and first_neuron + y < neurons
            weights_tile[x, y] = weights[first_neuron + y, k] if inside else real(0.0)
            below_tile[y, x] = below[start + example, k] if k < inputs and example < count else real(0.0)
            cuda.syncthreads()
            for step in range(tile):
                total += weights_tile[step, x] * below_tile[y, step]
            cuda.syncthreads()
        return total

    return weighted_sum


@functools.cache
def forward(real: Real, tile: int, value: Any) -> Any:
    """Equation 7: ``A[i+1] = f(W[i] @ A[i] + b[i])``; the bias is what the sum in registers begins with."""
    weighted_sum = _weighted_sum(real, tile)

    @kernel
    def forward(weights: DeviceArray, below: DeviceArray, start: int, count: int, above: DeviceArray) -> None:
        neuron = cuda.blockIdx.y * tile + cuda.threadIdx.x
        example = cuda.blockIdx.x * tile + cuda.threadIdx.y
        z = weighted_sum(weights, below, start, count)
        if neuron < weights.shape[0] and example < count:
            above[example, neuron] = value(z)

    return forward


@functools.cache
def output_delta(_real: Real, tile: int, error: Any) -> Any:
    """Equation 8: ``D[L] = Y - A[L]``, and what takes its place for the other losses."""

    @kernel
    def output_delta(outputs: DeviceArray, targets: DeviceArray, start: int, count: int, delta: DeviceArray) -> None:
        neuron = cuda.blockIdx.y * tile + cuda.threadIdx.x
        example = cuda.blockIdx.x * tile + cuda.threadIdx.y
        if neuron < delta.shape[1] and example < count:
            delta[example, neuron] = error(outputs[example], neuron, targets[start + example, neuron])

    return output_delta


@functools.cache
def transposed_product(real: Real, tile: int) -> Any:
    """The first half of equation 9: ``W[i].T @ D[i+1]``; the index into W is turned, not the matrix."""

    @kernel
    def transposed_product(weights: DeviceArray, delta: DeviceArray, count: int, product: DeviceArray) -> None:
        weights_tile = cuda.shared.array((tile, tile), real)
        delta_tile = cuda.shared.array((tile, tile), real)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        source, example = cuda.blockIdx.y * tile + x, cuda.blockIdx.x * tile + y
        neurons, inputs = weights.shape[0], weights.shape[1] - 1
        total = real(0.0)
        for first in range(0, neurons, tile):
            weights_tile[y, x] = weights[first + y, source] if first + y < neurons and source < inputs else real(0.0)
            delta_tile[y, x] = delta[example, first + x] if first + x < neurons and example < count else real(0.0)
            cuda.syncthreads()
            for step in range(tile):
                total += weights_tile[step, x] * delta_tile[y, step]
            cuda.syncthreads()
        if source < inputs and example < count:
            product[example, source] = total

    return transposed_product


@functools.cache
def hadamard_slope(real: Real, tile: int, value: Any, slope: Any) -> Any:
    """The second half of equation 9, for any activation: ``D * f'(z)``, where the product ``z`` is computed again."""
    weighted_sum = _weighted_sum(real, tile)

    @kernel
    def hadamard_slope(weights: DeviceArray, below: DeviceArray, start: int, count: int, delta: DeviceArray) -> None:
        neuron = cuda.blockIdx.y * tile + cuda.threadIdx.x
        example = cuda.blockIdx.x * tile + cuda.threadIdx.y
        z = weighted_sum(weights, below, start, count)
        if neuron < weights.shape[0] and example < count:
            delta[example, neuron] *= slope(z, value(z))

    return hadamard_slope


@functools.cache
def hadamard_slope_from_output(_real: Real, tile: int, slope: Any) -> Any:
    """The same where the slope follows from the activation, as ``A * (1 - A)`` of a sigmoid: nothing is recomputed."""

    @kernel
    def hadamard_slope_from_output(outputs: DeviceArray, count: int, delta: DeviceArray) -> None:
        neuron = cuda.blockIdx.y * tile + cuda.threadIdx.x
        example = cuda.blockIdx.x * tile + cuda.threadIdx.y
        if neuron < delta.shape[1] and example < count:
            a = outputs[example, neuron]
            delta[example, neuron] *= slope(a, a)

    return hadamard_slope_from_output


@functools.cache
def weight_update(real: Real, tile: int) -> Any:
    """Equation 10: ``after = before + scale * sum of D[j] A[j].T``, the outer products added up in registers.

    The input of the bias is 1. Blocks lie over the weights: x of the grid runs along a row, y over the neurons. Tiles
    hold an example a row, which in the paper's view of the matrices is the transposed load: threads of a warp read
    neighbours of one row while the product runs over the examples.
    """

    @kernel
    def weight_update(  # noqa: PLR0917  the equation has so many
        delta: DeviceArray,
        below: DeviceArray,
        start: int,
        count: int,
        scale: Any,
        before: DeviceArray,
        after: DeviceArray,
    ) -> None:
        delta_tile = cuda.shared.array((tile, tile), real)
        below_tile = cuda.shared.array((tile, tile), real)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        k, first_neuron = cuda.blockIdx.x * tile + x, cuda.blockIdx.y * tile
        neurons, inputs = after.shape[0], after.shape[1] - 1
        total = real(0.0)
        for first in range(0, count, tile):
            example = first + y
            inside = first_neuron + x < neurons and example < count
            delta_tile[y, x] = delta[example, first_neuron + x] if inside else real(0.0)
            below_tile[y, x] = below[start + example, k] if k < inputs and example < count else real(1.0)
            cuda.syncthreads()
            for step in range(tile):
                total += delta_tile[step, y] * below_tile[step, x]
            cuda.syncthreads()
        if first_neuron + y < neurons and k <= inputs:
            after[first_neuron + y, k] = before[first_neuron + y, k] + scale * total

    return weight_update
