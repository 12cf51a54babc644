"""What both variants share: weights, gradients and the set on the device, and the order of the steps.

A variant keeps its parameters as a list of matrices, its tensors. One pass back works for gradients and for training:
it writes ``after = before + scale * sum`` for each tensor, where the sum is over the examples of a batch.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np

from harness import Array, Network, Parameters
from harness_cuda.device import DeviceArray, Real, cuda, download, empty, kernel, real, upload
from harness_cuda.pointwise import Pointwise, error, needs_slope, pointwise

LINE = 64
"""Threads of a block of an elementwise kernel."""

Slope = Literal["recompute", "output"]


class Variant(ABC):
    """A network on the device, with the kernels that train it."""

    sign: ClassVar[int]
    """1 where a delta is the gradient of one example's loss, -1 where it is minus that."""

    def __init__(self, network: Network, parameters: Parameters, slope: str) -> None:
        self.network = network
        self.real: Real = real(network.dtype)
        self.from_output = slope == "output"
        self.activations: list[Pointwise] = [pointwise(layer.activation, self.real) for layer in network.layers]
        self.error = error(network, self.real)
        self.last_has_slope = needs_slope(network)
        self.count = 0
        self.capacity = 0
        self.tensors = [upload(array) for array in self.packed(parameters)]
        self.zeros: list[DeviceArray] = []
        self.sums: list[DeviceArray] = []
        self.buffers: list[list[DeviceArray]] = []

    @abstractmethod
    def packed(self, parameters: Parameters) -> list[Array]:
        """Return the parameters as the variant lays them out."""

    @abstractmethod
    def unpacked(self, tensors: list[Array]) -> Parameters:
        """Return fresh parameters from tensors on the host: the inverse of ``packed``."""

    @abstractmethod
    def load(self, x: Array, y: Array) -> None:
        """Copy the set to the device."""

    @abstractmethod
    def outputs(self) -> Array:
        """Return the outputs of the last forward."""

    @abstractmethod
    def reserve(self, capacity: int) -> list[list[DeviceArray]]:
        """Return new buffers for batches of so many examples."""

    @abstractmethod
    def propagate(self, rows: slice) -> None:
        """Forward propagation of rows of the set."""

    @abstractmethod
    def propagate_back(self, rows: slice, scale: Any, before: list[DeviceArray], after: list[DeviceArray]) -> None:
        """Backpropagation; a tensor may be written as soon as no layer below needs it any more."""

    def forward(self, rows: slice) -> None:
        """Propagate, in larger buffers where the batch has outgrown them."""
        self.count = rows.stop - rows.start
        if self.count > self.capacity:
            self.buffers = []  # the old ones are given back first
            self.buffers = self.reserve(self.count)
            self.capacity = self.count
        self.propagate(rows)

    def backprop(self, rows: slice) -> None:
        """Write the gradients of the mean loss beside the weights."""
        if not self.sums:
            self.zeros = [upload(np.zeros(tensor.shape, self.network.dtype)) for tensor in self.tensors]
            self.sums = [empty(tensor.shape[0], tensor.shape[1], self.network.dtype) for tensor in self.tensors]
        self.propagate_back(rows, self.real(self.sign / self.count), self.zeros, self.sums)

    def step(self, rate: float) -> None:
        """Subtract the gradients times the rate."""
        subtract = descend(self.real)
        for gradient, tensor in zip(self.sums, self.tensors, strict=True):
            subtract[blocks(tensor.size, LINE), LINE](gradient, self.real(rate), tensor)

    def train(self, rows: slice, rate: float) -> None:
        """Train on one batch: the update goes straight into the weights."""
        self.forward(rows)
        self.propagate_back(rows, self.real(-self.sign * rate / self.count), self.tensors, self.tensors)

    def parameters(self) -> Parameters:
        """Return copies of the weights."""
        return self.unpacked([download(tensor) for tensor in self.tensors])

    def gradients(self) -> Parameters:
        """Return copies of the gradients."""
        return self.unpacked([download(tensor) for tensor in self.sums])

    def bytes(self) -> int:
        """Return the device memory that is held; buffers never shrink, so it is also the peak."""
        held = [
            *self.tensors,
            *self.zeros,
            *self.sums,
            *self.set(),
            *(array for kind in self.buffers for array in kind),
        ]
        return sum(int(array.nbytes) for array in held)

    @abstractmethod
    def set(self) -> list[DeviceArray]:
        """Return the arrays of the loaded set."""


def blocks(size: int, threads: int) -> int:
    """Return how many blocks of so many threads cover a size."""
    return -(-size // threads)


@functools.cache
def descend(_real: Real) -> Any:
    """``W -= rate * gradient``, one thread an element."""

    @kernel
    def descend(gradient: DeviceArray, rate: Any, weights: DeviceArray) -> None:
        index = cuda.grid(1)
        row, column = index // weights.shape[1], index % weights.shape[1]
        if row < weights.shape[0]:
            weights[row, column] -= rate * gradient[row, column]

    return descend
