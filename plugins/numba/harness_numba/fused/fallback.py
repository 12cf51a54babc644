"""The same mathematics in plain NumPy, for CPUs without AVX2 and AVX-512. ``facts`` says that this code ran."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness import Array, Network, Parameters, activation, batches
from harness.plugin import copied, output_delta


class NumpyEngine:
    """Forward pass, backpropagation and update, written as in the reference, in the network's dtype."""

    def __init__(self, network: Network, parameters: Parameters, workers: int) -> None:  # noqa: ARG002  NumPy has threads of its own
        self.network = network
        self._functions = [activation(layer.activation) for layer in network.layers]
        self._parameters = copied(parameters)
        self._gradients: Parameters = []

    def load(self, x: Array, y: Array) -> None:
        """Keep the set."""
        self._x, self._y = x, y

    def parameters(self) -> Parameters:
        """Return fresh copies."""
        return copied(self._parameters)

    def gradients(self) -> Parameters:
        """Return fresh copies."""
        return copied(self._gradients)

    def outputs(self) -> Array:
        """Return a fresh copy."""
        return self._a[-1].copy()

    def forward(self, rows: slice) -> None:
        """Compute ``a = f(a W + b)``, layer by layer."""
        self._y_batch, self._z, self._a = self._y[rows], [], [self._x[rows]]
        for function, (weights, bias) in zip(self._functions, self._parameters, strict=True):
            self._z.append(self._a[-1] @ weights + bias)
            self._a.append(np.asarray(function.value(np, self._z[-1]), self._x.dtype))

    def backprop(self) -> None:
        """Compute the gradients of the rows of the last forward, from the last layer to the first."""
        self._gradients = []
        delta = output_delta(self.network.loss, self._functions[-1], self._z[-1], self._a[-1], self._y_batch)
        for index in reversed(range(len(self._functions))):
            self._gradients.insert(0, (self._a[index].T @ delta, delta.sum(axis=0)))
            if index:
                slope = self._functions[index - 1].slope(np, self._z[index - 1], self._a[index])
                delta = (delta @ self._parameters[index][0].T) * slope

    def step(self, rate: float) -> None:
        """Compute ``weights -= rate * gradients``."""
        for (weights, bias), (by_weights, by_bias) in zip(self._parameters, self._gradients, strict=True):
            np.subtract(weights, weights.dtype.type(rate) * by_weights, out=weights)
            np.subtract(bias, bias.dtype.type(rate) * by_bias, out=bias)

    def train_epoch(self, batch: int, rate: float) -> None:
        """Train once over all rows, batch by batch."""
        for rows in batches(len(self._x), batch):
            self.forward(rows)
            self.backprop()
            self.step(rate)

    def close(self) -> None:
        """Do nothing: there are no threads to end."""

    def facts(self) -> Mapping[str, str | int | float]:
        """Return a strategy that says that NumPy computed instead of the kernels."""
        return {
            "isa": "none",
            "strategy": "plain NumPy",
            "note": "this CPU has no AVX2 or AVX-512: plain NumPy ran, on the threads of its BLAS, and not our kernels",
        }
