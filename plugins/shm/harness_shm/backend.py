"""``shm``: parallel minibatch gradient descent (algorithm 5) in processes that share their memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from harness_blas.parts import Shared, ThreadLimit

from harness import Array, Backend, Network, Parameters
from harness.plugin import check_rate, copied, require_kernels, whole_number
from harness_shm.member import Command, Do
from harness_shm.memory import buffers_size, set_size
from harness_shm.team import Team, WorkerLostError


class ShmBackend(Backend):
    """A batch is divided among ``workers`` processes, this one included; ``harness_blas.shares`` says what each does.

    Weights, gradients, buffers and the set lie in memory that all of them map; a command costs two barriers, a batch
    of an epoch two. There is no GIL between processes, and nothing is copied from one to another.
    """

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, kernels: str = "inherit") -> None:
        super().__init__(network, parameters, workers=workers)
        self._blas = require_kernels(kernels)
        self._forwarded = 0
        self._limit = ThreadLimit(1)
        try:
            self._team: Team | None = Team(network, self.workers)
        except BaseException:
            self._limit.release()
            raise
        for shared, given in zip(self._shared.parameters, parameters, strict=True):
            for to, start in zip(shared, given, strict=True):
                to[...] = start

    def load(self, x: Array, y: Array) -> None:
        """Copy the set into new shared memory of the right size. The memory of an earlier set is freed."""
        super().load(x, y)
        memory = self._running.attach("set", self.rows, set_size(self.network, self.rows))
        self._running.member.attach_set(memory, self.rows)
        self._shared.x[...], self._shared.y[...] = x, y

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
        """End the processes, free the memory and release the limit on BLAS threads."""
        if self._team is not None:
            self._team.close()
        self._limit.release()
        self._team = None

    def forward(self, rows: slice) -> None:
        """Forward propagation: every worker takes its examples."""
        self._forwarded = rows.stop - rows.start
        self._grow(self._forwarded)
        self._running.do(Command(Do.FORWARD, rows.start, rows.stop))

    def backprop(self, rows: slice) -> None:
        """Backpropagation: every worker takes its examples for the deltas, then its rows of every gradient."""
        self._running.do(Command(Do.BACKPROP, rows.start, rows.stop))

    def step(self, rate: float) -> None:
        """Update every weight and bias, each worker its slice: ``W -= rate * dW``."""
        self._running.do(Command(Do.STEP, rate=rate))

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Algorithm 5 for one epoch, in lockstep by barriers: no command comes between two batches."""
        check_rate(rate)
        batch_size = min(whole_number("batch_size", batch_size, "rows"), self.rows)
        self._grow(batch_size)
        self._running.do(Command(Do.EPOCH, 0, self.rows, batch_size, rate))

    def facts(self) -> Mapping[str, str | int | float]:
        """Say which BLAS ran, with which kernels, and how many processes there were."""
        return {**self._blas.facts(), "processes": self.workers, "threads": self.workers}

    @property
    def _running(self) -> Team:
        if self._team is None:
            raise WorkerLostError("shm: the backend is closed; make a new one")
        return self._team

    @property
    def _shared(self) -> Shared:
        return self._running.member.shared

    def _grow(self, rows: int) -> None:
        """Make larger buffers if a batch of this size does not fit. Buffers never shrink."""
        if rows > self._shared.buffers.capacity:
            memory = self._running.attach("buffers", rows, buffers_size(self.network, rows))
            self._running.member.attach_buffers(memory, rows)
