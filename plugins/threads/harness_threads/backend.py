"""``threads``: parallel minibatch gradient descent (algorithm 5) in Python threads on BLAS.

NumPy releases the GIL inside its routines, so the threads compute in parallel even in a Python with a GIL. With
``blas_threads`` above 1 every thread's BLAS is threaded again, the two-level scheme that Kamra et al. leave as future
work: of ``workers`` CPU threads, ``workers // blas_threads`` divide the examples. OpenBLAS means to run one threaded
product at a time, but before mid-2026 keeps a lock for each combination of transposes, and two at once return wrong
numbers (its issue 5836). So with ``blas_threads`` above 1 the threads take turns at BLAS, with one lock for all;
everything elementwise runs at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
from harness_blas.parts import Buffers, Shared, ThreadLimit, Worker, in_force

from harness import Array, Backend, Network, Parameters, batches
from harness.plugin import check_rate, copied, one_of, require_kernels, whole_number
from harness_threads.team import Fork, Pool, Team

TEAMS: dict[str, type[Team]] = {"pool": Pool, "fork": Fork}
BLAS = threading.Lock()
"""One lock for the whole process: OpenBLAS has one thread pool per process, so two backends must take turns too."""


class ThreadsBackend(Backend):
    """A batch is divided among Python threads, one or more; see ``harness_blas.shares`` for what each one does.

    ``team`` says how long the threads live: ``pool`` as long as the backend, ``fork`` as long as one batch.
    """

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        *,
        workers: int = 1,
        blas_threads: int = 1,
        team: str = "pool",
        kernels: str = "inherit",
    ) -> None:
        super().__init__(network, parameters, workers=workers)
        self._blas = require_kernels(kernels)
        self._blas_threads = min(whole_number("threads: option blas_threads", blas_threads, "threads"), self.workers)
        self._size = self.workers // self._blas_threads
        self._turn: AbstractContextManager[object] | None = BLAS if self._blas_threads > 1 else None
        nothing = np.empty((0, 0), network.dtype)
        self._shared = Shared(copied(parameters), copied(parameters), Buffers(network, 0, self._make), nothing, nothing)
        self._forwarded = 0
        self._threads = self._new_workers()
        self._kind = one_of("threads: option team", team, TEAMS)
        self._limit = ThreadLimit(self._blas_threads)
        try:
            self._team = TEAMS[team](self._size)
        except BaseException:
            self._limit.release()
            raise

    def load(self, x: Array, y: Array) -> None:
        """Keep the caller's set as it is; every thread reads its examples where they lie."""
        super().load(x, y)
        self._shared.x, self._shared.y = x, y

    def parameters(self) -> Parameters:
        """Return copies of the weights and biases."""
        return copied(self._shared.parameters)

    def outputs(self) -> Array:
        """Return a copy of the last layer's activations."""
        return np.array(self._shared.buffers.a[-1][: self._forwarded])

    def gradients(self) -> Parameters:
        """Return copies of the gradients of the last ``backprop``."""
        return copied(self._shared.gradients)

    def close(self) -> None:
        """End the threads and release the limit on BLAS threads."""
        self._team.close()
        self._limit.release()

    def forward(self, rows: slice) -> None:
        """Forward propagation: every thread takes its examples."""
        self._forwarded = rows.stop - rows.start
        self._grow(self._forwarded)
        self._team.run(lambda t: self._threads[t].forward(rows))

    def backprop(self, rows: slice) -> None:
        """Backpropagation: every thread takes its examples for the deltas, then its rows of every gradient."""

        def work(t: int) -> None:
            self._threads[t].backward(rows)
            self._team.barrier.wait()
            self._threads[t].gradient(rows)

        self._team.run(work)

    def step(self, rate: float) -> None:
        """Update every weight and bias, each thread its slice: ``W -= rate * dW``."""
        self._team.run(lambda t: self._threads[t].step(rate))

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Algorithm 5 for one epoch; a team of ``fork`` is created and joined for every batch."""
        check_rate(rate)
        plan = list(batches(self.rows, batch_size))
        self._grow(plan[0].stop)
        for part in [plan] if self._kind == "pool" else [[rows] for rows in plan]:
            self._team.run(partial(self._train, plan=part, rate=rate))

    def facts(self) -> Mapping[str, str | int | float]:
        """Say how many threads worked, in how many Python threads, and how long those lived."""
        turns = "in turns" if self._blas_threads > 1 else "at once"
        strategy = f"{self._kind} of {self._size}, BLAS on {self._blas_threads} each, {turns}"
        return {**self._blas.facts(), "threads": self._size * in_force(), "strategy": strategy}

    def _train(self, t: int, plan: Iterable[slice], rate: float) -> None:
        """Train in thread ``t``: propagate its examples and, after a barrier, update its rows of the weights."""
        worker = self._threads[t]
        for rows in plan:
            worker.forward(rows)
            worker.backward(rows)
            self._team.barrier.wait()
            worker.update(rows, rate)
            self._team.barrier.wait()

    def _grow(self, rows: int) -> None:
        """Make larger buffers if a batch of this size does not fit. Buffers never shrink."""
        if rows > self._shared.buffers.capacity:
            self._shared.buffers = Buffers(self.network, rows, self._make)
            self._threads = self._new_workers()

    def _new_workers(self) -> list[Worker]:
        return [Worker(self._shared, t, self._size, self._turn) for t in range(self._size)]

    def _make(self, shape: tuple[int, ...]) -> Array:
        return np.empty(shape, self.network.dtype)
