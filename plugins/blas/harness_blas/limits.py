"""The thread limit of BLAS. OpenBLAS has one limit per process; the last backend that is closed restores the original.

If several backends live in one process, the smallest number that was asked for holds for all, so that none uses more
threads than it was given. The limit is never above the number of cores: the threads of OpenBLAS wait for each other by
spinning, and with three threads on two cores a product took hundreds of times as long.
"""

from __future__ import annotations

import threading

import numpy as np  # noqa: F401  its BLAS must be loaded before it can be limited
from threadpoolctl import ThreadpoolController, threadpool_limits

from harness.plugin import cores

_lock = threading.Lock()
_asked: list[int] = []
_original: list[threadpool_limits] = []


class ThreadLimit:
    """A limit of ``threads`` BLAS threads for this process, until ``release``."""

    def __init__(self, threads: int) -> None:
        self._threads: int | None = min(threads, cores())
        with _lock:
            _asked.append(self._threads)
            _enforce()

    def release(self) -> None:
        """Give the limit up. A second call does nothing."""
        with _lock:
            if self._threads is not None:
                _asked.remove(self._threads)
                self._threads = None
                _enforce()


def in_force() -> int:
    """Return the largest number of threads that a BLAS library of this process uses now."""
    return max((library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()), default=1)


def _enforce() -> None:
    """Set the smallest limit that is in use. If there is none, restore the original limit."""
    if not _asked:
        _original.pop().restore_original_limits()
        return
    limits = ThreadpoolController().limit(limits=min(_asked), user_api="blas")
    if not _original:
        _original.append(limits)
