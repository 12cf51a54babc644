"""The work of one worker: it carries out commands between barriers. The parent is worker 0, its children the others."""

from __future__ import annotations

import mmap
from enum import IntEnum
from typing import NamedTuple

from harness_blas.parts import Buffers, Shared, Worker

from harness import Network, Parameters, batches
from harness_shm.barrier import Barrier
from harness_shm.memory import Carver


class Do(IntEnum):
    """What a command asks for."""

    ATTACH = 1
    FORWARD = 2
    BACKPROP = 3
    STEP = 4
    EPOCH = 5


class Command(NamedTuple):
    """A command with its arguments. Arguments that it does not need are 0."""

    do: Do
    start: int = 0
    stop: int = 0
    batch: int = 0
    rate: float = 0.0

    @property
    def rows(self) -> slice:
        """The rows of a batch."""
        return slice(self.start, self.stop)


class Board:
    """Where the parent writes the next command: the first lines of the control memory."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._words = memoryview(memory)[:64].cast("q")
        self._rate = memoryview(memory)[64:72].cast("d")

    def write(self, command: Command) -> None:
        """Put a command on the board, before the barrier that starts it."""
        for index, word in enumerate(command[:4]):
            self._words[index] = int(word)
        self._rate[0] = command.rate

    def read(self) -> Command:
        """Return the command on the board, after the barrier that starts it."""
        do, start, stop, batch = self._words[:4]
        return Command(Do(do), start, stop, batch, self._rate[0])


class Member:
    """One worker with its views of the shared memory."""

    def __init__(self, network: Network, rank: int, workers: int, model: mmap.mmap, barrier: Barrier) -> None:
        self.network = network
        self.barrier = barrier
        self._rank, self._workers = rank, workers
        carver = Carver(model, network.dtype)
        weights, gradients = _parameters(network, carver), _parameters(network, carver)
        nothing = carver.array((0, 0))
        self.shared = Shared(weights, gradients, Buffers(network, 0, carver.array), nothing, nothing)
        self._worker = Worker(self.shared, rank, workers)

    def attach_set(self, memory: mmap.mmap, rows: int) -> None:
        """Take a training set that lies in ``memory``."""
        carver = Carver(memory, self.network.dtype)
        self.shared.x = carver.array((rows, self.network.inputs))
        self.shared.y = carver.array((rows, self.network.outputs))

    def attach_buffers(self, memory: mmap.mmap, rows: int) -> None:
        """Place buffers for batches of up to ``rows`` rows in ``memory``."""
        self.shared.buffers = Buffers(self.network, rows, Carver(memory, self.network.dtype).array)
        self._worker = Worker(self.shared, self._rank, self._workers)

    def carry_out(self, command: Command) -> None:
        """Do this worker's part of the command. The caller waits at the barrier that ends it."""
        worker, rows = self._worker, command.rows
        if command.do == Do.FORWARD:
            worker.forward(rows)
        elif command.do == Do.BACKPROP:
            worker.backward(rows)
            self.barrier.wait()
            worker.gradient(rows)
        elif command.do == Do.STEP:
            worker.step(command.rate)
        elif command.do == Do.EPOCH:
            self._epoch(command)

    def _epoch(self, command: Command) -> None:
        """Algorithm 5: this worker's examples of every batch, then the update of its rows of the weights."""
        for rows in batches(command.stop, command.batch):
            self._worker.forward(rows)
            self._worker.backward(rows)
            self.barrier.wait()
            self._worker.update(rows, command.rate)
            self.barrier.wait()


def _parameters(network: Network, carver: Carver) -> Parameters:
    return [(carver.array((k.inputs, k.outputs)), carver.array((k.outputs,))) for k in network.layers]
