"""``neurons``: per-sample training in which each OpenMP thread owns neurons, after Olsen et al.

``team=pool`` keeps the threads of Numba's layer. ``team=fork`` starts a new thread for every batch, because GNU
OpenMP makes a team for each thread that opens a parallel region, and the team ends with that thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numba import config
from numba.np.ufunc import parallel

from harness import Array, Backend, Network, Parameters, Unavailable, batches
from harness.plugin import check_rate
from harness_numba import layout, neurons_loops, pointwise
from harness_numba.team import checked


class NeuronsBackend(Backend):
    """Every thread owns neurons of every layer; samples are trained one after the other. ``train_epoch`` is timed."""

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, team: str = "pool") -> None:
        super().__init__(network, parameters, workers=workers)
        self._fork = checked(team) == "fork"
        _check_threads(self.workers)
        self._pointwise = pointwise.of_network(network)
        self._layers = layout.table(network, self._pointwise)
        self._loss = pointwise.LOSSES[network.loss]
        self._one = np.dtype(network.dtype).type(1)
        self._theta = layout.packed(parameters, transposed=True)
        self._gradient = np.zeros_like(self._theta)
        self._z, self._a, self._delta = (np.empty((0, 0), network.dtype) for _ in range(3))
        self._batch = 0
        self._run(lambda: None)
        _check_layer(self._fork)

    def load(self, x: Array, y: Array) -> None:
        """Keep the set as it is."""
        super().load(x, y)
        self._x, self._y = x, y

    def parameters(self) -> Parameters:
        """Return the weights and biases, copied out of the flat array."""
        return layout.unpacked(self.network, self._theta, transposed=True)

    def outputs(self) -> Array:
        """Return the last layer's activations for the rows of the last ``forward``."""
        return self._a[: self._batch, self._layers[-1]["neurons"] :].copy()

    def gradients(self) -> Parameters:
        """Return the gradients, copied out of the flat array."""
        return layout.unpacked(self.network, self._gradient, transposed=True)

    def close(self) -> None:
        """Do nothing: Numba owns the threads, and other instances in this process use them too."""

    def forward(self, rows: slice) -> None:
        """Propagate these rows, one after the other."""
        self._reserve(rows.stop - rows.start)
        self._run(lambda: self._forward(rows))

    def backprop(self, rows: slice) -> None:
        """Add up the gradients of these rows."""
        self._run(lambda: self._backprop(rows))

    def step(self, rate: float) -> None:
        """Apply the gradients, in the calling thread."""
        check_rate(rate)
        neurons_loops.descend(self._one * rate, self._gradient, self._theta)

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train once over all rows, batch by batch; a batch of one sample changes the weights directly."""
        check_rate(rate)
        for rows in batches(self.rows, batch_size):
            self._reserve(rows.stop - rows.start)
            self._run(lambda rows=rows: self._learn(rows, rate))  # type: ignore[misc]

    def facts(self) -> Mapping[str, str | int | float]:
        """Return the threads and the layer of Numba that runs them."""
        return {"device": "cpu", "threads": self.workers, "threading_layer": _layer()}

    def _learn(self, rows: slice, rate: float) -> None:
        """Train on one batch. A batch of one sample, as in Olsen's paper, updates the weights directly."""
        self._forward(rows)
        if self._batch == 1:
            self._propagate_back(rows, self._one * -rate, self._theta)
        else:
            self._backprop(rows)
            self.step(rate)

    def _forward(self, rows: slice) -> None:
        neurons_loops.forward(self.workers, self._layers, self._theta, self._x[rows], self._z, self._a)

    def _backprop(self, rows: slice) -> None:
        self._gradient.fill(0)
        self._propagate_back(rows, self._one, self._gradient)

    def _propagate_back(self, rows: slice, scale: float, gradient: Array) -> None:
        given = (self._layers, self._theta, self._x[rows], self._y[rows], self._z, self._a, self._delta)
        neurons_loops.backprop(self.workers, self._loss, self._batch, *given, scale, gradient)

    def _run(self, work: Callable[[], None]) -> None:
        if self._fork:
            with ThreadPoolExecutor(1) as master:
                master.submit(self._with_team, work).result()
        else:
            self._with_team(work)

    def _with_team(self, work: Callable[[], None]) -> None:
        """Set the number of threads. Numba keeps it for each calling thread; another instance may have changed it."""
        numba.set_num_threads(self.workers)
        work()

    def _reserve(self, batch: int) -> None:
        self._batch = batch
        if batch > len(self._z):
            neurons = sum(layer.outputs for layer in self.network.layers)
            self._z, self._a, self._delta = (np.empty((batch, neurons), self.network.dtype) for _ in range(3))


def _check_threads(workers: int) -> None:
    allowed = int(vars(config)["NUMBA_NUM_THREADS"])
    if workers > allowed:
        raise Unavailable(
            f"neurons: {workers} workers, but Numba was loaded for {allowed} threads; "
            f"set NUMBA_NUM_THREADS={workers} before Python starts"
        )


def _check_layer(fork: bool) -> None:  # noqa: FBT001  private, with one caller
    layer = _layer()
    if fork and layer != "omp":
        raise Unavailable(
            f"neurons: team=fork needs OpenMP, and Numba runs its {layer!r} layer here; "
            "use team=pool, or a Numba with its 'omp' layer"
        )


def _layer() -> str:
    """Return the threading layer that Numba has loaded: ``omp``, ``tbb`` or ``workqueue``."""
    layer: str = parallel.threading_layer()  # type: ignore[no-untyped-call]  # Numba's own function has no types
    return layer
