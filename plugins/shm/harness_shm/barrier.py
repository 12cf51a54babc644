"""A barrier between processes in plain shared memory: every worker counts in a slot that only it writes.

Pure Python has no atomic addition. With one slot for each worker none is needed, because an aligned store of eight
bytes is atomic. A waiting worker first reads the slot in a loop, then yields its core between two reads, then sleeps
until the slot changes. A worker that arrives wakes the workers that sleep. Every sleep is short, and after each one the
worker checks that the others are alive, so a lost wake-up or a dead process cannot make it hang. Two processes on two
idle cores pass the barrier in about 5 µs; most of that is Python.
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
"""Reads without a pause, about 0.2 ms. If workers must share cores, no such reads are made."""
YIELDS = 500
NAP = 0.05
"""The longest sleep in seconds, and so the longest time between two checks that the others are alive."""


def control_size(workers: int) -> int:
    """Return the bytes of the command and a line for each worker."""
    return (HEAD_LINES + workers) * LINE_WORDS * WORD


class Barrier:
    """The barrier as one worker uses it. ``alive`` raises if another process has ended and waiting is useless."""

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
        """Return when every other worker has called this method as often as this worker."""
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
        """Wake the workers that sleep on this slot. A sleeping worker sets the word after its own slot to 1."""
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
        """Keep the CPU from moving memory accesses across this point.

        Releasing a lock orders all accesses before it, acquiring one orders all accesses after it. Two pairs do both.
        """
        with self._lock:
            pass
        with self._lock:
            pass
