"""The variant ``paper``: Kamra et al., section 4, with the layouts and the five kernels as published."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import Array, Network, Parameters, Unsupported
from harness_cuda import paper_kernels as kernels
from harness_cuda.device import DeviceArray, download, empty, upload
from harness_cuda.variant import Variant, blocks


class Paper(Variant):
    """Tiles in shared memory; a layer's slope is recomputed from ``W @ A``, or taken from ``A`` where that suffices."""

    sign = -1

    def __init__(self, network: Network, parameters: Parameters, slope: str, tile: int) -> None:
        super().__init__(network, parameters, slope)
        self.tile = tile
        if self.from_output:
            self._check_outputs_suffice()
        self.x: DeviceArray = None
        self.y: DeviceArray = None

    def _check_outputs_suffice(self) -> None:
        names = [layer.activation for layer in self.network.layers]
        for name, function in zip(names, self.activations, strict=True):
            if not function.from_output:
                raise Unsupported(
                    f"slope=output: the slope of activation {name!r} may need z, which is not kept: use slope=recompute"
                )

    def packed(self, parameters: Parameters) -> list[Array]:
        """One matrix a layer, one row a neuron, the bias last."""
        return [np.column_stack([weights.T, bias]) for weights, bias in parameters]

    def unpacked(self, tensors: list[Array]) -> Parameters:
        """Split the bias off again."""
        return [(np.array(tensor[:, :-1].T, order="C"), tensor[:, -1].copy()) for tensor in tensors]

    def load(self, x: Array, y: Array) -> None:
        """Copy the set: an example is a column of a column-major matrix, so the bytes stay as they are."""
        self.x, self.y = upload(x), upload(y)

    def set(self) -> list[DeviceArray]:
        """Return the set, if one is loaded."""
        return [array for array in (self.x, self.y) if array is not None]

    def outputs(self) -> Array:
        """Return the activations of the last layer."""
        return download(self.buffers[0][-1])[: self.count].copy()

    def reserve(self, capacity: int) -> list[list[DeviceArray]]:
        """Return an activation and a delta for every layer."""
        widths = [layer.outputs for layer in self.network.layers]
        return [[empty(capacity, width, self.network.dtype) for width in widths] for _ in range(2)]

    def propagate(self, rows: slice) -> None:
        """Equation 7, layer by layer."""
        for layer, (weights, function) in enumerate(zip(self.tensors, self.activations, strict=True)):
            forward = kernels.forward(self.real, self.tile, function.value)
            above = self.buffers[0][layer]
            forward[self._grid(above), self._block()](weights, *self._below(layer, rows), self.count, above)

    def propagate_back(self, rows: slice, scale: Any, before: list[DeviceArray], after: list[DeviceArray]) -> None:
        """Equations 8 to 10, from the last layer to the first."""
        a, delta = self.buffers
        output_delta = kernels.output_delta(self.real, self.tile, self.error)
        output_delta[self._grid(a[-1]), self._block()](a[-1], self.y, rows.start, self.count, delta[-1])
        if self.last_has_slope:
            self._times_slope(len(a) - 1, rows)
        for layer in reversed(range(len(a))):
            if layer:
                product = kernels.transposed_product(self.real, self.tile)
                grid = self._grid(delta[layer - 1])
                product[grid, self._block()](self.tensors[layer], delta[layer], self.count, delta[layer - 1])
                self._times_slope(layer - 1, rows)
            self._update(layer, rows, scale, before[layer], after[layer])

    def _times_slope(self, layer: int, rows: slice) -> None:
        """Multiply a layer's delta by the activation's slope; its weights are still those of ``propagate``."""
        function, delta = self.activations[layer], self.buffers[1][layer]
        grid, block = self._grid(delta), self._block()
        if self.from_output:
            from_output = kernels.hadamard_slope_from_output(self.real, self.tile, function.slope)
            from_output[grid, block](self.buffers[0][layer], self.count, delta)
        else:
            recomputed = kernels.hadamard_slope(self.real, self.tile, function.value, function.slope)
            recomputed[grid, block](self.tensors[layer], *self._below(layer, rows), self.count, delta)

    def _update(self, layer: int, rows: slice, scale: Any, before: DeviceArray, after: DeviceArray) -> None:
        update = kernels.weight_update(self.real, self.tile)
        grid = (blocks(after.shape[1], self.tile), blocks(after.shape[0], self.tile))
        below = self._below(layer, rows)
        update[grid, self._block()](self.buffers[1][layer], *below, self.count, scale, before, after)

    def _below(self, layer: int, rows: slice) -> tuple[DeviceArray, int]:
        """Return the inputs of a layer and where those of the batch begin."""
        return (self.buffers[0][layer - 1], 0) if layer else (self.x, rows.start)

    def _grid(self, matrix: DeviceArray) -> tuple[int, int]:
        """Return the blocks over a matrix of the batch: examples along x, neurons along y."""
        return blocks(self.count, self.tile), blocks(matrix.shape[1], self.tile)

    def _block(self) -> tuple[int, int]:
        return self.tile, self.tile
