"""One block of memory for everything that kernels use, on huge pages if the system has them.

With small pages, it is random in every process which addresses share a place in the cache. The mapping is private: a
shared one has no huge pages on most systems, and a forked child would change its parent's weights.
"""

from __future__ import annotations

import mmap
from contextlib import suppress

import numpy as np

from harness import Array

LINE = 64
"""Bytes of a cache line."""
PAGE = 2 << 20
"""Bytes of a huge page."""


class Arena:
    """One mapping of zeroed memory. The system gets it back together with the last array over it."""

    def __init__(self, size: int) -> None:
        """Map ``size`` bytes; raise ``MemoryError`` if the system does not have them."""
        try:
            block = mmap.mmap(-1, size + PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except OSError as error:
            raise MemoryError(f"fused: no memory for {size:,} bytes of weights and activations: {error}") from error
        if hasattr(mmap, "MADV_HUGEPAGE"):
            with suppress(OSError):  # a system without huge pages is only slower
                block.madvise(mmap.MADV_HUGEPAGE)
        self._bytes = np.frombuffer(block, np.uint8)
        self.address = -(-self._bytes.ctypes.data // PAGE) * PAGE
        self._skip = self.address - self._bytes.ctypes.data

    def view(self, address: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: str) -> Array:
        """Return an array over the memory at ``address``."""
        at = address - self.address + self._skip
        return np.ndarray(shape, dtype, self._bytes.data, at, strides)


class Plan:
    """Adds up how much memory is needed, piece by piece, before anything is mapped."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, size: int) -> int:
        """Return the offset of a new piece. The next piece begins on another cache line."""
        at = self.size
        self.size += rounded(size, LINE) + LINE
        return at


def rounded(size: int, unit: int) -> int:
    """Return ``size`` rounded up to a multiple of ``unit``."""
    return -(-size // unit) * unit


def odd_lines(size: int) -> int:
    """Return a stride of at least ``size`` bytes that is an odd number of cache lines.

    With such a stride, rows do not compete for the same places in the cache.
    """
    size = rounded(size, LINE)
    return size if size // LINE % 2 else size + LINE
