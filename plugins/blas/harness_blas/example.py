"""``example``: the paper's Fast Serial and Fast Parallel, with BLAS on one example at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from harness import Array, Backend, Network, Parameters, batches
from harness.plugin import check_rate, copied, require_kernels
from harness_blas.library import routines
from harness_blas.limits import ThreadLimit, in_force
from harness_blas.passes import Buffers, Pass


class ExampleBackend(Backend):
    """The gradients of one example after the other are added up over the batch, with one step for each batch.

    Every product is that of a matrix and a vector (``gemv``), and every gradient is a rank-one update (``ger``). With
    one worker this is the paper's Fast Serial. With more workers BLAS divides each product: Fast Parallel.
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
        self._limit = ThreadLimit(self.workers)  # last, so that no later failure can leave the limit set

    def load(self, x: Array, y: Array) -> None:
        """Keep the caller's set without a copy; BLAS reads the examples from it."""
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
        """Release the limit on BLAS threads."""
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
        """Train one epoch; with batches of 1, per-sample training, each rank-one update goes into the weights."""
        check_rate(rate)
        for rows in batches(self.rows, batch_size):
            if batch_size == 1:
                self._learn(rows, self._parameters, -rate)
            else:
                self._clear_gradients()
                self._learn(rows, self._gradients, 1.0)
                self.step(rate)

    def facts(self) -> Mapping[str, str | int | float]:
        """Return which BLAS ran, with which kernels and on how many threads."""
        return {**self._blas.facts(), "threads": in_force()}

    def _learn(self, rows: slice, sums: Parameters, factor: float) -> None:
        """Add ``factor`` times the batch's gradient to ``sums``: each example goes forward and back before the next."""
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
        """Make room for every example of a batch; the buffers grow if they must and never shrink."""
        if rows > self._buffers.capacity:
            self._buffers = Buffers(self.network, rows, self._make)

    def _make(self, shape: tuple[int, ...]) -> Array:
        return np.empty(shape, self.network.dtype)
