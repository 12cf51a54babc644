"""A barrier between processes in plain shared memory: every worker counts in a slot that only it writes.

Pure Python has no atomic addition, and with a slot a worker it needs none: an aligned store of eight bytes is whole.
A worker that waits first looks again and again, then yields its core between two looks, then sleeps on the slot it
waits for. Whoever arrives wakes sleepers, if there are any. No sleep is long, and after each the worker looks whether
the others are alive; so neither a lost wake-up nor a dead process can hang it. Two processes on two idle cores take
about 5 µs to pass, most of it Python.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
from collections.abc import Callable

from harness.plugin import cores
from harness_shm import futex

WORD = 8
LINE_WORDS = 8
"""Words of a cache line: each worker's slot has a line of its own."""
HEAD_LINES = 2
"""Lines before the first slot, for the command."""
LOOKS = 4000
"""Looks without a pause, about a fifth of a millisecond; none where workers must share cores."""
YIELDS = 500
NAP = 0.05
"""Seconds of one sleep at most, and so between two looks at who is alive."""


def control_size(workers: int) -> int:
    """Return the bytes of the command and a line for each worker."""
    return (HEAD_LINES + workers) * LINE_WORDS * WORD


class Barrier:
    """One worker's side; ``alive`` raises where waiting is no use any more."""

    def __init__(self, memory: mmap.mmap, rank: int, workers: int, alive: Callable[[], None]) -> None:
        self._words = memoryview(memory).cast("q")
        self._slots = [(HEAD_LINES + worker) * LINE_WORDS for worker in range(workers)]
        self._own = self._slots[rank]
        self._others = [slot for slot in self._slots if slot != self._own]
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self._alive = alive
        self._looks = LOOKS if workers <= cores() else 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when every worker has called this as often as this one."""
        count = self._words[self._own] + 1
        self._fence()
        self._words[self._own] = count
        self._fence()
        self._wake()
        for slot in self._others:
            if self._words[slot] < count:
                self._await(slot, count)
        self._fence()

    def _wake(self) -> None:
        """Wake those who sleep on this worker's slot; a sleeper says so in the word after its own slot."""
        if any(self._words[slot + 1] for slot in self._others):
            futex.wake(self._base + self._own * WORD)

    def _await(self, slot: int, count: int) -> None:
        words = self._words
        for _ in range(self._looks):
            if words[slot] >= count:
                return
        for _ in range(YIELDS):
            os.sched_yield()
            if words[slot] >= count:
                return
        while (seen := words[slot]) < count:
            self._alive()
            self._sleep(slot, seen)

    def _sleep(self, slot: int, seen: int) -> None:
        self._words[self._own + 1] = 1
        self._fence()
        if self._words[slot] == seen:
            futex.wait(self._base + slot * WORD, seen, NAP)
        self._words[self._own + 1] = 0

    def _fence(self) -> None:
        """Keep what stands before apart from what stands after, on CPUs that would reorder them.

        A released lock orders all that came before it, an acquired one all that comes after; two pairs do both.
        """
        with self._lock:
            pass
        with self._lock:
            pass
