"""``python``: the papers' programs in pure Python; NumPy appears where arrays come in and go out, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TypeVar

import numpy as np

from harness import Array, Backend, Network, Parameters
from harness_python.algebra import Vector, Weights, add_all, transposed, zeros_like
from harness_python.example import Trace, backprop, forward, functions
from harness_python.forking import forked, gil

Item = TypeVar("Item")


class PythonBackend(Backend):
    """Algorithm 5 on lists: a batch is divided among ``workers`` threads, their partial gradients are summed.

    Python's floats are double precision whatever the network's dtype; what goes out is rounded to it. With a GIL the
    threads take turns and more workers gain nothing; on a free-threaded build they run at once.
    """

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self._layers = functions(network)
        self._weights: Weights = [(w.T.tolist(), b.tolist()) for w, b in parameters]
        self._gradients = zeros_like(self._weights)
        self._traces: list[Trace] = []

    def load(self, x: Array, y: Array) -> None:
        """Keep the caller's arrays. Only the current batch is converted to lists, which saves memory."""
        super().load(x, y)
        self._x, self._y = x, y

    def parameters(self) -> Parameters:
        """Return the weights and biases, rounded to the network's dtype."""
        return self._arrays(self._weights)

    def outputs(self) -> Array:
        """Return the last layer's activations."""
        return self._array([trace.a[-1] for trace in self._traces])

    def gradients(self) -> Parameters:
        """Return the gradients of the last ``backprop``."""
        return self._arrays(self._gradients)

    def close(self) -> None:
        """Do nothing: every thread has ended with its batch."""

    def forward(self, rows: slice) -> None:
        """Forward propagation: every thread takes its share of the examples."""

        def work(share: list[Vector]) -> list[Trace]:
            return [forward(self._layers, self._weights, x) for x in share]

        passed = forked(work, self._shares(self._x[rows].tolist()))
        self._traces = [trace for share in passed for trace in share]

    def backprop(self, rows: slice) -> None:
        """Every thread adds up the gradients of its share; their sum over the rows is the batch's gradient."""
        columns = [transposed(w) for w, _ in self._weights]

        def work(share: list[tuple[Trace, Vector]]) -> Weights:
            partial = zeros_like(self._weights)
            for trace, y in share:
                backprop(self._layers, columns, self.network.loss, trace, y, partial)
            return partial

        partials = forked(work, self._shares(list(zip(self._traces, self._y[rows].tolist(), strict=True))))
        self._gradients = zeros_like(self._weights)
        for partial in partials:
            add_all(self._gradients, partial, 1.0 / len(self._traces))

    def step(self, rate: float) -> None:
        """Update every weight and bias: ``W -= rate * dW``."""
        add_all(self._weights, self._gradients, -rate)

    def facts(self) -> Mapping[str, str | int | float]:
        """Say how many threads took part, whether they took turns, and in which precision they computed."""
        return {"threads": self.workers, "gil": gil(), "arithmetic": "double precision"}

    def _shares(self, examples: list[Item]) -> list[list[Item]]:
        """Divide a batch among the workers as evenly as possible. No share is empty."""
        count = min(self.workers, len(examples))
        cuts = [len(examples) * t // count for t in range(count + 1)]
        return [examples[start:stop] for start, stop in pairwise(cuts)]

    def _arrays(self, weights: Weights) -> Parameters:
        return [(self._array(transposed(w)), self._array(b)) for w, b in weights]

    def _array(self, values: list[Vector] | Vector) -> Array:
        """Round to the network's dtype; what is too large for it becomes infinite without a warning, as in NumPy."""
        with np.errstate(over="ignore"):
            return np.array(values, dtype=np.float64).astype(self.network.dtype)
