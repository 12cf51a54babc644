"""Mutants that write, keep or leave behind what is not theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import shared_memory
from typing import ClassVar

import numpy as np
from good_backend import Good
from killing import killed_by
from threadpoolctl import threadpool_limits

from harness import Array, Network, Parameters


@killed_by("it_never_writes_to_what_it_is_given", r"x after training\[\d+, \d+\] is")
class WritesToX(Good):
    def forward(self, rows: slice) -> None:
        self.x[rows] += 1
        super().forward(rows)


@killed_by("it_takes_arrays_that_are_read_only", "backprop raised ValueError: .* read-only")
class WritesToY(Good):
    def backprop(self, rows: slice) -> None:
        self.y[rows] += 0
        super().backprop(rows)


@killed_by("the_start_weights_are_copied", "parameters after the caller's start weights changed: weights of layer 0")
class StartNotCopied(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self.weights = [weights for weights, _ in parameters]


@killed_by("what_it_returns_is_the_callers", "parameters after the caller wrote to copies: weights of layer")
class AliasedParameters(Good):
    def parameters(self) -> Parameters:
        return list(zip(self.weights, self.biases, strict=True))


@killed_by("what_it_returns_is_the_callers", "gradients after the caller wrote to a copy: weights of layer")
class AliasedGradients(Good):
    def gradients(self) -> Parameters:
        return self.dparameters


@killed_by("what_it_returned_stays_as_it_was", r"outputs returned earlier, after training went on\[\d+, \d+\] is")
class OneOutputBuffer(Good):
    def outputs(self) -> Array:
        self.buffer = self.__dict__.get("buffer", np.empty((9, self.network.outputs), self.network.dtype))
        view = self.buffer[: len(self.a[-1])]
        view[:] = self.a[-1]
        return view

    def step(self, rate: float) -> None:
        super().step(rate)
        self.__dict__.get("buffer", np.empty(0))[:] = 0


@killed_by("two_instances_live_side_by_side", "parameters of the first of two instances: weights of layer")
class StateShared(Good):
    shared: ClassVar[list[Array]] = []

    def forward(self, rows: slice) -> None:
        super().forward(rows)
        StateShared.shared = self.a

    def backprop(self, rows: slice) -> None:
        if [part.shape for part in self.shared] == [part.shape for part in self.a]:
            self.a = StateShared.shared
        super().backprop(rows)


@killed_by("closing_one_leaves_the_other_alone", "train_epoch raised RuntimeError: the pool is closed")
class OnePoolForAll(Good):
    closed: ClassVar[bool] = False

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        OnePoolForAll.closed = False

    def forward(self, rows: slice) -> None:
        if OnePoolForAll.closed:
            raise RuntimeError("the pool is closed")
        super().forward(rows)

    def close(self) -> None:
        OnePoolForAll.closed = True


class Leaky(Good):
    """Keeps what it leaks where a test can clean up."""

    leaked: ClassVar[list[Callable[[], object]]] = []

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        self.leak()

    def leak(self) -> None:
        raise NotImplementedError


@killed_by("nothing_is_left_after_close[threads]", "3 more lives left 3 more threads after close, allowed 0")
class LeaksThread(Leaky):
    def leak(self) -> None:
        event = threading.Event()
        threading.Thread(target=event.wait, daemon=True).start()
        self.leaked.append(event.set)


@killed_by("nothing_is_left_after_close[processes]", "3 more lives left 3 more child processes after close")
class LeaksProcess(Leaky):
    def leak(self) -> None:
        child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
        self.leaked.append(child.communicate)


@killed_by("nothing_is_left_after_close[files]", "3 more lives left 3 more open file descriptors after close")
class LeaksFile(Leaky):
    def leak(self) -> None:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        self.leaked.append(lambda: os.close(descriptor))


@killed_by("nothing_is_left_after_close[shared]", r"3 more lives left 3 more entries in /dev/shm after close")
class LeaksSharedMemory(Leaky):
    def leak(self) -> None:
        segment = shared_memory.SharedMemory(create=True, size=64)
        segment.close()
        self.leaked.append(segment.unlink)


@killed_by("it_keeps_to_its_threads", r"\d threads were busy at once in most samples of an epoch, allowed 1")
class TooManyThreads(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self.limits = threadpool_limits(workers + 1, user_api="blas")

    def close(self) -> None:
        self.limits.restore_original_limits()


@killed_by("a_failed_start_gives_back_what_it_took", r"3 failed calls of __init__ left \d+ more threads, allowed 0")
class LeaksThreadInAFailedStart(Leaky):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        event = threading.Event()
        threading.Thread(target=event.wait, daemon=True).start()
        self.leaked.append(event.set)
        super().__init__(network, parameters, workers=workers)
        event.set()

    def leak(self) -> None: ...


@killed_by("a_failed_start_gives_back_what_it_took", "after a failed __init__ the thread limits of the libraries are")
class LeaksLimitInAFailedStart(Leaky):
    """Limits the library before it looks at what it was given; only ``close`` takes the limit away again."""

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        self.limits = threadpool_limits(workers + 2, user_api="blas")
        self.leaked.append(self.limits.restore_original_limits)
        super().__init__(network, parameters, workers=workers)

    def leak(self) -> None: ...

    def close(self) -> None:
        self.limits.restore_original_limits()


@killed_by("each_instance_starts_with_its_own_weights", "parameters of a later instance: weights of layer 0")
class FirstWeightsKept(Good):
    """Keeps the weights of the first instance of the process and hands them to each later one of that shape."""

    kept: ClassVar[list[Array]] = []

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        if not self.kept:
            self.kept.extend(weights.copy() for weights in self.weights)
        if [(part.shape, part.dtype) for part in self.kept] == [(part.shape, part.dtype) for part in self.weights]:
            self.weights = [weights.copy() for weights in self.kept]
