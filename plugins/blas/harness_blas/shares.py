"""One worker's share in parallel minibatch gradient descent (algorithm 5), for threads and for processes.

The examples of a batch are divided among the workers for the forward pass and the deltas. The papers then add up the
partial gradients of all workers. Here each worker computes *its rows* of every gradient from the deltas of *all*
examples. That is the same sum, but it is added up inside the product. So no gradients have to be added, and the update
is divided too. A barrier separates the two parts, and another one the update from the next forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness import Array, Parameters
from harness_blas.library import routines
from harness_blas.passes import Buffers, Pass


@dataclass
class Shared:
    """The arrays that all workers share. Each worker reads all of them and writes only its own part."""

    parameters: Parameters
    gradients: Parameters
    buffers: Buffers
    x: Array
    y: Array


class Own(NamedTuple):
    """A worker's slice of one layer: rows of the weights, and a part of the bias."""

    weights: Array
    bias: Array
    d_weights: Array
    d_bias: Array
    inputs: slice
    outputs: slice


def share(count: int, rank: int, workers: int) -> slice:
    """Return a worker's part of ``count`` items, divided as evenly as possible. It may be empty."""
    return slice(count * rank // workers, count * (rank + 1) // workers)


class Worker:
    """Worker ``rank`` of ``workers``. A method does the worker's own part and does not wait for the others.

    ``turn`` is entered around every BLAS call. It is a lock if threaded BLAS calls must not run at the same time.
    """

    def __init__(
        self, shared: Shared, rank: int, workers: int, turn: AbstractContextManager[object] | None = None
    ) -> None:
        self._shared = shared
        self._rank = rank
        self._workers = workers
        self._turn = nullcontext() if turn is None else turn
        self._own = list(self._slices())
        self._scaled = [(np.empty_like(own.weights), np.empty_like(own.bias)) for own in self._own]
        self._add_product = routines(shared.buffers.network.dtype).add_product
        self._cut(0)

    def forward(self, rows: slice) -> None:
        """Forward propagation of this worker's examples ``B_jt`` of the batch ``B_j``."""
        if rows.stop - rows.start != self._batch.rows:
            self._cut(rows.stop - rows.start)
        if self._part.rows:
            self._part.forward(self._shared.parameters, self._shared.x[rows][self._examples])

    def backward(self, rows: slice) -> None:
        """Compute the deltas of this worker's examples, for the mean loss over the whole batch."""
        if self._part.rows:
            self._part.backward(self._shared.parameters, self._shared.y[rows][self._examples], self._batch.rows)

    def gradient(self, rows: slice) -> None:
        """Compute this worker's rows of every gradient over all examples. All deltas must be ready."""
        for own, a_in, delta in self._layers(rows):
            with self._turn:
                np.matmul(a_in[:, own.inputs].T, delta, out=own.d_weights)
                np.matmul(self._batch.ones, delta[:, own.outputs], out=own.d_bias)

    def step(self, rate: float) -> None:
        """Update this worker's slices: ``W -= rate * dW``."""
        for own, (weights, bias) in zip(self._own, self._scaled, strict=True):
            np.multiply(own.d_weights, rate, out=weights)
            np.subtract(own.weights, weights, out=own.weights)
            np.multiply(own.d_bias, rate, out=bias)
            np.subtract(own.bias, bias, out=own.bias)

    def update(self, rows: slice, rate: float) -> None:
        """Do gradient and step in one: add the product over all examples to this worker's rows of the weights."""
        for (own, a_in, delta), (_, bias) in zip(self._layers(rows), self._scaled, strict=True):
            with self._turn:
                self._add_product(own.weights, -rate, a_in[:, own.inputs], delta)
                np.matmul(self._batch.ones, delta[:, own.outputs], out=bias)
            np.multiply(bias, rate, out=bias)
            np.subtract(own.bias, bias, out=own.bias)

    def _layers(self, rows: slice) -> Iterator[tuple[Own, Array, Array]]:
        inputs = self._batch.inputs(self._shared.x[rows])
        for own, a_in, stage in zip(self._own, inputs, self._batch.stages, strict=True):
            yield own, a_in, stage.delta

    def _cut(self, rows: int) -> None:
        """Divide a batch of this size. The buffers are large enough; the owner makes new workers for larger ones."""
        self._examples = share(rows, self._rank, self._workers)
        self._part = Pass(self._shared.buffers, self._examples.start, self._examples.stop, self._turn)
        self._batch = Pass(self._shared.buffers, 0, rows)

    def _slices(self) -> Iterator[Own]:
        pairs = zip(self._shared.parameters, self._shared.gradients, strict=True)
        for (weights, bias), (d_weights, d_bias) in pairs:
            inputs = share(len(weights), self._rank, self._workers)
            outputs = share(len(bias), self._rank, self._workers)
            yield Own(weights[inputs], bias[outputs], d_weights[inputs], d_bias[outputs], inputs, outputs)
