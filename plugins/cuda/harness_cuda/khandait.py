"""The variant ``khandait``: a linear layer and an activation layer as kernels of one thread an element."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import Array, Network, Parameters
from harness_cuda import khandait_kernels as kernels
from harness_cuda.device import DeviceArray, download, empty, upload
from harness_cuda.khandait_kernels import EDGE, LINE
from harness_cuda.variant import Variant, blocks


class Khandait(Variant):
    """Every layer keeps ``Z``, ``A`` and ``dZ``, with one row a neuron; the set is kept with one column an example."""

    sign = 1

    def __init__(self, network: Network, parameters: Parameters, slope: str) -> None:
        super().__init__(network, parameters, slope)
        self.x: DeviceArray = None
        self.y: DeviceArray = None

    def packed(self, parameters: Parameters) -> list[Array]:
        """Two matrices a layer: the weights, one row a neuron, and the bias as a column."""
        return [part for weights, bias in parameters for part in (weights.T, bias[:, None])]

    def unpacked(self, tensors: list[Array]) -> Parameters:
        """Turn them back."""
        pairs = zip(tensors[::2], tensors[1::2], strict=True)
        return [(np.array(weights.T, order="C"), bias[:, 0].copy()) for weights, bias in pairs]

    def load(self, x: Array, y: Array) -> None:
        """Copy the set, turned so that an example is a column."""
        self.x, self.y = upload(x.T), upload(y.T)

    def set(self) -> list[DeviceArray]:
        """Return the set, if one is loaded."""
        return [array for array in (self.x, self.y) if array is not None]

    def outputs(self) -> Array:
        """Return the activations of the last layer, one row an example."""
        return np.array(download(self.buffers[1][-1])[:, : self.count].T, order="C")

    def reserve(self, capacity: int) -> list[list[DeviceArray]]:
        """Return ``Z``, ``A`` and ``dZ`` for every layer."""
        widths = [layer.outputs for layer in self.network.layers]
        return [[empty(width, capacity, self.network.dtype) for width in widths] for _ in range(3)]

    def propagate(self, rows: slice) -> None:
        """Run a linear layer and an activation layer for each layer of the network."""
        z, a, _ = self.buffers
        for layer, function in enumerate(self.activations):
            weights, bias = self.tensors[2 * layer : 2 * layer + 2]
            linear = kernels.linear_forward(self.real)
            grid = self._grid(self.count, weights.shape[0])
            linear[grid, (EDGE, EDGE)](weights, bias, *self._below(layer, rows), self.count, z[layer])
            activate = kernels.activation_forward(self.real, function.value)
            activate[self._line(z[layer]), LINE](z[layer], self.count, a[layer])

    def propagate_back(self, rows: slice, scale: Any, before: list[DeviceArray], after: list[DeviceArray]) -> None:
        """Run the layers backwards; each passes the error on, then updates its parameters."""
        _, a, dz = self.buffers
        loss = kernels.loss_backward(self.real, self.error)
        loss[self._line(a[-1]), LINE](a[-1], self.y, rows.start, self.count, dz[-1])
        if self.last_has_slope:
            self._times_slope(len(a) - 1)
        for layer in reversed(range(len(a))):
            if layer:
                weights = self.tensors[2 * layer]
                grid = self._grid(self.count, weights.shape[1])
                kernels.linear_backward(self.real)[grid, (EDGE, EDGE)](weights, dz[layer], self.count, dz[layer - 1])
                self._times_slope(layer - 1)
            own = slice(2 * layer, 2 * layer + 2)
            self._update(layer, rows, scale, before[own], after[own])

    def _times_slope(self, layer: int) -> None:
        """Multiply ``dA`` by the activation's slope, which makes it ``dZ``."""
        function = self.activations[layer]
        z, a, dz = (kind[layer] for kind in self.buffers)
        if self.from_output:
            kept = kernels.activation_backward(self.real, function.slope)
            kept[self._line(dz), LINE](z, a, self.count, dz)
        else:
            again = kernels.activation_backward_again(self.real, function.value, function.slope)
            again[self._line(dz), LINE](z, self.count, dz)

    def _update(self, layer: int, rows: slice, scale: Any, before: list[DeviceArray], after: list[DeviceArray]) -> None:
        dz, (weights, bias) = self.buffers[2][layer], after
        update, grid = kernels.linear_update(self.real), self._grid(weights.shape[1], weights.shape[0])
        update[grid, (EDGE, EDGE)](dz, *self._below(layer, rows), self.count, scale, before[0], weights)
        kernels.bias_update(self.real)[blocks(bias.shape[0], LINE), LINE](dz, self.count, scale, before[1], bias)

    def _below(self, layer: int, rows: slice) -> tuple[DeviceArray, int]:
        """Return the inputs of a layer and where those of the batch begin."""
        return (self.buffers[1][layer - 1], 0) if layer else (self.x, rows.start)

    def _grid(self, columns: int, rows: int) -> tuple[int, int]:
        return blocks(columns, EDGE), blocks(rows, EDGE)

    def _line(self, matrix: DeviceArray) -> int:
        """Return the blocks over the batch's elements of a matrix."""
        return blocks(matrix.shape[0] * self.count, LINE)
