"""Shared memory without a name. It is freed when no process maps it, so even ``kill -9`` leaves nothing behind."""

from __future__ import annotations

import math
import mmap
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from harness import Array, Network, Unavailable

LINE = 64
"""Bytes of a cache line: every array starts on one, so that workers do not share the ends of their arrays."""


@contextmanager
def created(size: int) -> Iterator[tuple[int, mmap.mmap]]:
    """Yield a descriptor of ``size`` new bytes, to be sent, and a map of them; only the map lives on."""
    handle = _memory_file()
    try:
        yield handle, _map(handle, size)
    finally:
        os.close(handle)


def mapped(handle: int) -> mmap.mmap:
    """Map the whole memory and close the descriptor. The map is freed with the last array in it."""
    try:
        return mmap.mmap(handle, os.fstat(handle).st_size)
    finally:
        os.close(handle)


def _map(handle: int, size: int) -> mmap.mmap:
    try:
        os.ftruncate(handle, size)
        return mmap.mmap(handle, size)
    except OSError as error:
        raise Unavailable(f"shm: no {size} bytes of shared memory: {error}") from error


def _memory_file() -> int:
    """Return a memfd on Linux, elsewhere a file that is already unlinked."""
    if platform.system() == "Linux":
        return os.memfd_create("harness-shm", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Carver:
    """Cuts arrays off a map, one after the other: in every process the same calls give the same arrays."""

    def __init__(self, memory: mmap.mmap, dtype: str) -> None:
        self._memory = memory
        self._dtype = np.dtype(dtype)
        self._offset = 0

    def array(self, shape: tuple[int, ...]) -> Array:
        """Return the next array, C-ordered, zero when the memory is new."""
        count = math.prod(shape)
        array = np.frombuffer(self._memory, self._dtype, count, self._offset) if count else np.empty(0, self._dtype)
        self._offset += lines(count * self._dtype.itemsize)
        return array.reshape(shape)


def lines(size: int) -> int:
    """Return ``size`` in bytes, rounded up to whole cache lines."""
    return -(-size // LINE) * LINE


def model_size(network: Network) -> int:
    """Return the bytes of weights, biases and their gradients."""
    item = np.dtype(network.dtype).itemsize
    return 2 * sum(lines(item * k.inputs * k.outputs) + lines(item * k.outputs) for k in network.layers)


def buffers_size(network: Network, rows: int) -> int:
    """Return the bytes of the buffers of a batch. The system allocates only pages that are used."""
    widths = [layer.outputs for layer in network.layers]
    item = np.dtype(network.dtype).itemsize
    return (
        3 * sum(lines(item * rows * width) for width in widths) + lines(item * rows * max(widths)) + lines(item * rows)
    )


def set_size(network: Network, rows: int) -> int:
    """Return the bytes of a set: ``x`` and ``y``."""
    item = np.dtype(network.dtype).itemsize
    return lines(item * rows * network.inputs) + lines(item * rows * network.outputs)
