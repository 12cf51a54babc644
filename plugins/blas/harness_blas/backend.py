"""``blas``: the whole minibatch in BLAS matrix products; all buffers are allocated once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness import Array, Backend, Network, Parameters, batches
from harness.plugin import check_rate, copied, require_kernels
from harness_blas.library import routines
from harness_blas.limits import ThreadLimit, in_force
from harness_blas.passes import Buffers, Pass


class BlasBackend(Backend):
    """Minibatch gradient descent in NumPy; ``workers`` are the threads of its BLAS.

    The three steps keep the gradients in buffers. ``train_epoch`` computes no gradients: its update is one product that
    is added to the weights (``library.py`` has the measurement). No step allocates an array, unless an activation comes
    from a plugin.
    """

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, kernels: str = "inherit") -> None:
        super().__init__(network, parameters, workers=workers)
        self._blas = require_kernels(kernels)
        self._routines = routines(network.dtype)
        self._parameters = copied(parameters)
        self._gradients = copied(parameters)
        self._scaled = copied(parameters)
        self._buffers = Buffers(network, 0, self._make)
        self._pass = Pass(self._buffers, 0, 0)
        self._limit = ThreadLimit(self.workers)  # last, so that no later failure can leave the limit set

    def load(self, x: Array, y: Array) -> None:
        """Keep the caller's set without a copy; BLAS reads the batches from it."""
        super().load(x, y)
        self._x, self._y = x, y

    def parameters(self) -> Parameters:
        """Return copies of the weights and biases."""
        return copied(self._parameters)

    def outputs(self) -> Array:
        """Return a copy of the last layer's activations."""
        return np.array(self._pass.outputs)

    def gradients(self) -> Parameters:
        """Return copies of the gradients of the last ``backprop``."""
        return copied(self._gradients)

    def close(self) -> None:
        """Release the limit on BLAS threads."""
        self._limit.release()

    def forward(self, rows: slice) -> None:
        """Forward propagation of the minibatch: one matrix product for each layer."""
        self._resize(rows.stop - rows.start)
        self._pass.forward(self._parameters, self._x[rows])

    def backprop(self, rows: slice) -> None:
        """Backpropagation of the minibatch: ``dW = a_in.T @ delta``, and ``db`` is the sum of delta over the rows."""
        self._pass.backward(self._parameters, self._y[rows], self._pass.rows)
        inputs = self._pass.inputs(self._x[rows])
        for a_in, stage, (dw, db) in zip(inputs, self._pass.stages, self._gradients, strict=True):
            np.matmul(a_in.T, stage.delta, out=dw)
            np.matmul(self._pass.ones, stage.delta, out=db)

    def step(self, rate: float) -> None:
        """Update every weight and bias: ``W -= rate * dW``."""
        for pair, gradients, buffers in zip(self._parameters, self._gradients, self._scaled, strict=True):
            for value, gradient, scaled in zip(pair, gradients, buffers, strict=True):
                np.multiply(gradient, rate, out=scaled)
                np.subtract(value, scaled, out=value)

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train one epoch; the update ``W -= rate * a_in.T @ delta`` is a single product."""
        check_rate(rate)
        for rows in batches(self.rows, batch_size):
            self.forward(rows)
            self._pass.backward(self._parameters, self._y[rows], self._pass.rows)
            self._update(rows, rate)

    def facts(self) -> Mapping[str, str | int | float]:
        """Return which BLAS ran, with which kernels, on how many threads, and whether the update was one product."""
        update = "folded" if self._routines.folded else "two steps"
        return {**self._blas.facts(), "threads": in_force(), "update": update}

    def _update(self, rows: slice, rate: float) -> None:
        layers = zip(self._pass.inputs(self._x[rows]), self._pass.stages, self._parameters, self._scaled, strict=True)
        for a_in, stage, (weights, bias), (_, scaled) in layers:
            self._routines.add_product(weights, -rate, a_in, stage.delta)
            np.matmul(self._pass.ones, stage.delta, out=scaled)
            np.multiply(scaled, rate, out=scaled)
            np.subtract(bias, scaled, out=bias)

    def _resize(self, rows: int) -> None:
        """Make the pass fit a batch of this size; the buffers grow if they must and never shrink."""
        if rows > self._buffers.capacity:
            self._buffers = Buffers(self.network, rows, self._make)
        if rows != self._pass.rows:
            self._pass = Pass(self._buffers, 0, rows)

    def _make(self, shape: tuple[int, ...]) -> Array:
        return np.empty(shape, self.network.dtype)
