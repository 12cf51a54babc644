"""``linalg``: hand-written loops; Python threads share the examples. One worker is the studies' Naive Serial."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness import Array, Backend, Network, Parameters, batches
from harness.plugin import check_rate
from harness_numba import layout, linalg_loops, pointwise
from harness_numba.team import Team, checked


class LinalgBackend(Backend):
    """Every worker propagates its examples of a batch one at a time and sums their gradients in its own array.

    After a barrier, each worker adds up all these arrays for its share of the parameters and updates that share.
    """

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, team: str = "pool") -> None:
        super().__init__(network, parameters, workers=workers)
        kind = checked(team)
        self._pointwise = pointwise.of_network(network)
        self._layers = layout.table(network, self._pointwise)
        self._loss = pointwise.LOSSES[network.loss]
        self._one = np.dtype(network.dtype).type(1)
        self._theta = layout.packed(parameters)
        self._gradients = np.zeros((self.workers, self._theta.size), network.dtype)
        self._z, self._a, self._delta = (np.empty((0, 0), network.dtype) for _ in range(3))
        self._batch = 0
        self._team = Team(kind, self.workers)

    def load(self, x: Array, y: Array) -> None:
        """Keep the set as it is."""
        super().load(x, y)
        self._x, self._y = x, y

    def parameters(self) -> Parameters:
        """Return the weights and biases, copied out of the flat array."""
        return layout.unpacked(self.network, self._theta)

    def outputs(self) -> Array:
        """Return the last layer's activations for the rows of the last ``forward``."""
        return self._a[: self._batch, self._layers[-1]["neurons"] :].copy()

    def gradients(self) -> Parameters:
        """Return the gradients, copied out of the flat array."""
        return layout.unpacked(self.network, self._gradients[0])

    def close(self) -> None:
        """End the threads of the team."""
        self._team.close()

    def forward(self, rows: slice) -> None:
        """Propagate these rows, one after the other."""
        self._reserve(rows.stop - rows.start)
        self._team.run(lambda worker: self._forward(worker, rows))

    def backprop(self, rows: slice) -> None:
        """Compute the gradients of these rows: every worker sums its own, then all workers add the sums together."""
        self._team.run(lambda worker: self._backprop(worker, rows))

    def step(self, rate: float) -> None:
        """Apply the gradients."""
        check_rate(rate)
        self._team.run(lambda worker: self._descend(worker, rate))

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train once over all rows; with one worker, a batch of one example changes the weights directly."""
        check_rate(rate)
        for rows in batches(self.rows, batch_size):
            self._reserve(rows.stop - rows.start)
            if self._batch == 1 and self.workers == 1:
                self._per_sample(rows, rate)
            else:
                self._team.run(lambda worker, rows=rows: self._learn(worker, rows, rate))  # type: ignore[misc]

    def facts(self) -> Mapping[str, str | int | float]:
        """Return the threads that work."""
        return {"device": "cpu", "threads": self.workers}

    def _learn(self, worker: int, rows: slice, rate: float) -> None:
        self._forward(worker, rows)
        self._partial(worker, rows)
        self._team.meet()
        self._add_up(worker)
        self._descend(worker, rate)

    def _forward(self, worker: int, rows: slice) -> None:
        own = self._examples(worker)
        linalg_loops.forward(self._layers, self._theta, self._x[rows][own], self._z[own], self._a[own])

    def _backprop(self, worker: int, rows: slice) -> None:
        self._partial(worker, rows)
        self._team.meet()
        self._add_up(worker)

    def _partial(self, worker: int, rows: slice) -> None:
        gradient = self._gradients[worker]
        gradient.fill(0)
        self._propagate_back(self._examples(worker), rows, self._one, gradient)

    def _per_sample(self, rows: slice, rate: float) -> None:
        """Train on one example in one thread: the update is added to the weights without a separate gradient."""
        self._forward(0, rows)
        self._propagate_back(slice(0, 1), rows, self._one * -rate, self._theta)

    def _propagate_back(self, own: slice, rows: slice, scale: float, gradient: Array) -> None:
        given = (self._loss, self._batch, self._layers, self._theta, self._x[rows][own], self._y[rows][own])
        linalg_loops.backprop(*given, self._z[own], self._a[own], self._delta[own], scale, gradient)

    def _add_up(self, worker: int) -> None:
        own = self._share(worker, self._theta.size)
        linalg_loops.add_up(self._gradients, own.start, own.stop)

    def _descend(self, worker: int, rate: float) -> None:
        own = self._share(worker, self._theta.size)
        linalg_loops.descend(self._one * rate, self._gradients[0, own], self._theta[own])

    def _examples(self, worker: int) -> slice:
        return self._share(worker, self._batch)

    def _share(self, worker: int, size: int) -> slice:
        return slice(worker * size // self.workers, (worker + 1) * size // self.workers)

    def _reserve(self, batch: int) -> None:
        self._batch = batch
        if batch > len(self._z):
            neurons = sum(layer.outputs for layer in self.network.layers)
            self._z, self._a, self._delta = (np.empty((batch, neurons), self.network.dtype) for _ in range(3))
