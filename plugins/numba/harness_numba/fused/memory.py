"""The memory of a network: weights in panels, rows at distances that suit the cache, and the table of addresses.

A panel holds a few columns of a weight matrix, row after row, so that a tile reads it as one stream. The last layer is
stored transposed: its panels belong to the thread that owns the same hidden neurons in the layer below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness import Array, Network, Parameters
from harness_numba.fused.arena import Arena, Plan, odd_lines, rounded
from harness_numba.fused.isa import KERNELS
from harness_numba.fused.tables import LAYER
from harness_numba.pointwise import REGISTERED, Pointwise

PANEL = KERNELS.panel_bytes
COUNTER = 4096
"""Bytes for the barrier's counter and flag, apart from everything else."""


@dataclass(frozen=True)
class Sizes:
    """The sizes that determine how much memory is needed."""

    team: int
    rows: int
    window: int
    chunk: int


class Memory:
    """Everything that kernels write for one network: parameters, gradients, and activations and deltas of some rows."""

    def __init__(self, network: Network, pointwise: list[Pointwise], sizes: Sizes) -> None:
        """Plan every piece, map the block and turn offsets into addresses."""
        self.network, self.sizes = network, sizes
        self._itemsize = np.dtype(network.dtype).itemsize
        self.layers = np.array([self._shape(index, function) for index, function in enumerate(pointwise)], LAYER)
        plan = Plan()
        self.counter = plan.take(COUNTER)
        first = plan.size
        self._plan_parameters(plan)
        self.mirror = plan.size - first
        plan.take(self.mirror)
        for index in range(len(self.layers)):
            self._plan_rows(plan, index)
        self.similar_row = odd_lines(sizes.window * self._itemsize)
        self.similar_own = sizes.window * self.similar_row
        self.similar = plan.take(sizes.team * self.similar_own)
        self.zeros = plan.take(max(int(self.layers["row"].max()), self.similar_row) + PANEL)
        self._map(plan)

    def parameters(self, mirror: int = 0) -> Parameters:
        """Return fresh copies of the parameters, or of the mirror, which lies ``mirror`` bytes after them."""
        pairs: Parameters = []
        for index, layer in enumerate(self.network.layers):
            columns = layer.inputs if self._is_last(index) else layer.outputs
            panels = self._panels(index, mirror)
            weights = panels.transpose(1, 0, 2).reshape(panels.shape[1], -1)[:, :columns]
            copy = np.array(weights.T if self._is_last(index) else weights, order="C")
            pairs.append((copy, self._biases(index, mirror)[0].copy()))
        return pairs

    def fill(self, parameters: Parameters, mirror: int = 0) -> None:
        """Copy parameters into the panels, or with ``mirror`` into the mirror; fill all copies of the last bias."""
        for index, (weights, bias) in enumerate(parameters):
            matrix = weights.T if self._is_last(index) else weights
            panels = self._panels(index, mirror)
            count, rows, width = panels.shape
            padded = np.zeros((rows, count * width), matrix.dtype)
            padded[:, : matrix.shape[1]] = matrix
            panels[...] = padded.reshape(rows, count, width).transpose(1, 0, 2)
            self._biases(index, mirror)[...] = bias

    def both(self) -> tuple[Array, Array]:
        """Return flat views of all parameters and of the mirror, with their padding."""
        size, step = (self.mirror // self._itemsize,), (self._itemsize,)
        first = self.counter + COUNTER + 64
        return self._view(first, size, step), self._view(first + self.mirror, size, step)

    def outputs(self, rows: int) -> Array:
        """Return a fresh copy of the last layer's activations."""
        last = self.layers[-1]
        shape, strides = (rows, int(last["neurons"])), (int(last["row"]), self._itemsize)
        return self._view(int(last["a"]), shape, strides).copy()

    def signal(self) -> Array:
        """Return a view whose element 0 is the barrier's counter and element 16 its abort flag."""
        return self._arena.view(self.counter, (17,), (8,), "int64")

    def _is_last(self, index: int) -> bool:
        return index == len(self.network.layers) - 1

    def _shape(self, index: int, pointwise: Pointwise) -> Any:
        """Return a layer's record; its addresses are still 0."""
        layer = self.network.layers[index]
        rows, columns = (layer.inputs, layer.outputs)[:: -1 if self._is_last(index) else 1]
        panels = rounded(columns * self._itemsize, PANEL) // PANEL
        record = np.zeros((), LAYER)
        record["rows"], record["panels"], record["neurons"] = rows, panels, layer.outputs
        record["terms"] = rounded(layer.inputs * self._itemsize, PANEL) // PANEL
        record["panel"] = odd_lines(rows * PANEL)
        record["row"] = odd_lines(panels * PANEL)
        if self._is_last(index):
            record["row"] = record["partial_row"] = rounded(layer.outputs * self._itemsize, KERNELS.vector_bytes)
        record["kind"], record["value"], record["slope"] = pointwise.kind, pointwise.value, pointwise.slope
        return record

    def _plan_parameters(self, plan: Plan) -> None:
        for index, layer in enumerate(self.layers):
            layer["weights"] = plan.take(int(layer["panels"] * layer["panel"]))
            layer["bias_own"] = odd_lines(int(layer["row"]))
            copies = self.sizes.team if self._is_last(index) else 1
            layer["bias"] = plan.take(int(layer["bias_own"]) * copies)

    def _plan_rows(self, plan: Plan, index: int) -> None:
        """Plan the rows of a layer. If other threads read its activations, it has two sets, for two windows in turn."""
        layer, team, hidden = self.layers[index], self.sizes.team, len(self.layers) - 1
        block = odd_lines(self.sizes.rows * int(layer["row"]))
        shared = index < hidden - 1
        copies = team if index == hidden else 2 if shared else 1
        layer["flip" if shared else "own"] = block if copies > 1 else 0
        layer["a"] = plan.take(block * copies)
        layer["z"] = plan.take(block * copies) if layer["kind"] == REGISTERED else layer["a"]
        layer["d"] = plan.take(block * (1 if shared else copies))
        self._plan_partial(plan, index)

    def _plan_partial(self, plan: Plan, index: int) -> None:
        layer = self.layers[index]
        layer["partial_row"] = layer["row"]
        layer["partial_own"] = odd_lines(self.sizes.chunk * int(layer["row"]))
        layer["partial_flip"] = int(layer["partial_own"]) * self.sizes.team
        layer["partial"] = plan.take(2 * int(layer["partial_flip"]))

    def _map(self, plan: Plan) -> None:
        self._arena = Arena(plan.size)
        for name in ("weights", "bias", "z", "a", "d", "partial"):
            self.layers[name] += self._arena.address
        for name in ("counter", "similar", "zeros"):
            setattr(self, name, getattr(self, name) + self._arena.address)

    def _view(self, address: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
        return self._arena.view(address, shape, strides, self.network.dtype)

    def _panels(self, index: int, mirror: int) -> Array:
        layer = self.layers[index]
        shape = (int(layer["panels"]), int(layer["rows"]), PANEL // self._itemsize)
        return self._view(int(layer["weights"]) + mirror, shape, (int(layer["panel"]), PANEL, self._itemsize))

    def _biases(self, index: int, mirror: int) -> Array:
        """Return the bias, one row for each copy."""
        layer = self.layers[index]
        shape = (self.sizes.team if self._is_last(index) else 1, int(layer["neurons"]))
        return self._view(int(layer["bias"]) + mirror, shape, (int(layer["bias_own"]), self._itemsize))
