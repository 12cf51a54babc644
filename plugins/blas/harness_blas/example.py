"""``example``: the paper's Fast Serial and Fast Parallel, one example at a time through BLAS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from harness import Array, Backend, Network, Parameters, batches
from harness.plugin import check_rate, copied, require_kernels
from harness_blas.library import routines
from harness_blas.limits import ThreadLimit, in_force
from harness_blas.passes import Buffers, Pass


class ExampleBackend(Backend):
    """Gradients of one example after the other, added over the batch, one step a batch.

    Every product is a matrix with a vector (``gemv``), every gradient a rank-one update (``ger``). With one worker it
    is the paper's Fast Serial, with more, BLAS divides each product: Fast Parallel.
    """

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, kernels: str = "inherit") -> None:
        super().__init__(network, parameters, workers=workers)
        self._blas = require_kernels(kernels)
        self._routines = routines(network.dtype)
        self._parameters = copied(parameters)
        self._gradients = copied(parameters)
        self._scaled = copied(parameters)
        self._buffers = Buffers(network, 0, self._make)
        self._one = Pass(Buffers(network, 1, self._make), 0, 1)
        self._forwarded = 0
        self._limit = ThreadLimit(self.workers)  # last: nothing after it can fail and leave it behind

    def load(self, x: Array, y: Array) -> None:
        """Keep the caller's set as it is; BLAS reads each example where it lies."""
        super().load(x, y)
        self._x, self._y = x, y

    def parameters(self) -> Parameters:
        """Return copies of the weights and biases."""
        return copied(self._parameters)

    def outputs(self) -> Array:
        """Return a copy of the last layer's activations."""
        return np.array(self._buffers.a[-1][: self._forwarded])

    def gradients(self) -> Parameters:
        """Return copies of the gradients of the last ``backprop``."""
        return copied(self._gradients)

    def close(self) -> None:
        """Give the claim on BLAS threads back."""
        self._limit.release()

    def forward(self, rows: slice) -> None:
        """Forward propagation, example by example: ``z = W.T a + b``."""
        self._forwarded = rows.stop - rows.start
        self._grow(self._forwarded)
        for example, i in self._examples(rows):
            example.forward(self._parameters, self._x[i : i + 1])

    def backprop(self, rows: slice) -> None:
        """Backpropagation, example by example; the gradients ``a_in delta.T`` are added up."""
        self._clear_gradients()
        for example, i in self._examples(rows):
            example.backward(self._parameters, self._y[i : i + 1], self._forwarded)
            self._add_gradients(self._gradients, 1.0, example, i)

    def step(self, rate: float) -> None:
        """Update every weight and bias: ``W -= rate * dW``."""
        for pair, gradients, buffers in zip(self._parameters, self._gradients, self._scaled, strict=True):
            for value, gradient, scaled in zip(pair, gradients, buffers, strict=True):
                np.multiply(gradient, rate, out=scaled)
                np.subtract(value, scaled, out=value)

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """One epoch; at batch 1, per-sample training, each rank-one update goes straight into the weights."""
        check_rate(rate)
        for rows in batches(self.rows, batch_size):
            if batch_size == 1:
                self._learn(rows, self._parameters, -rate)
            else:
                self._clear_gradients()
                self._learn(rows, self._gradients, 1.0)
                self.step(rate)

    def facts(self) -> Mapping[str, str | int | float]:
        """Say which BLAS ran, with which kernels and on how many threads."""
        return {**self._blas.facts(), "threads": in_force()}

    def _learn(self, rows: slice, sums: Parameters, factor: float) -> None:
        """Add ``factor`` times the batch's gradient into ``sums``, one example forward and back after the other."""
        for i in range(rows.start, rows.stop):
            self._one.forward(self._parameters, self._x[i : i + 1])
            self._one.backward(self._parameters, self._y[i : i + 1], rows.stop - rows.start)
            self._add_gradients(sums, factor, self._one, i)

    def _add_gradients(self, sums: Parameters, factor: float, example: Pass, i: int) -> None:
        """Add one example's gradients, times ``factor``, layer by layer: ``sum += factor * outer(a_in, delta)``."""
        layers = zip(example.inputs(self._x[i : i + 1]), example.stages, sums, self._scaled, strict=True)
        for a_in, stage, (weights, bias), (_, scaled) in layers:
            self._routines.add_outer(weights, factor, a_in[0], stage.delta[0])
            np.multiply(stage.delta[0], factor, out=scaled)
            np.add(bias, scaled, out=bias)

    def _clear_gradients(self) -> None:
        for dw, db in self._gradients:
            dw.fill(0)
            db.fill(0)

    def _examples(self, rows: slice) -> Iterator[tuple[Pass, int]]:
        """Yield the place of each example in the buffers, and its row in the set."""
        for place, i in enumerate(range(rows.start, rows.stop)):
            yield Pass(self._buffers, place, place + 1), i

    def _grow(self, rows: int) -> None:
        """Keep what every example of the batch leaves behind; the buffers grow on first use and never shrink."""
        if rows > self._buffers.capacity:
            self._buffers = Buffers(self.network, rows, self._make)

    def _make(self, shape: tuple[int, ...]) -> Array:
        return np.empty(shape, self.network.dtype)
