"""One block of memory for all that kernels touch, on huge pages where the system has them.

With small pages the distance between two addresses in the cache is drawn anew in every process. The mapping is private:
a shared one has no huge pages on most systems, and a forked child would train its parent's weights.
"""

from __future__ import annotations

import mmap
from contextlib import suppress

import numpy as np

from harness import Array

LINE = 64
PAGE = 2 << 20


class Arena:
    """Hands out zeroed pieces of one mapping, each on a cache line of its own. Freed with its last array."""

    def __init__(self, size: int) -> None:
        """Map ``size`` bytes."""
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
        """Return an array over what lies at ``address``."""
        at = address - self.address + self._skip
        return np.ndarray(shape, dtype, self._bytes.data, at, strides)


class Plan:
    """Adds up how much memory is needed, piece by piece, before it is mapped."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, size: int) -> int:
        """Return the offset of a new piece; the next one starts on another line of a page."""
        at = self.size
        self.size += rounded(size, LINE) + LINE
        return at


def rounded(size: int, unit: int) -> int:
    """Return ``size`` rounded up to whole units."""
    return -(-size // unit) * unit


def odd_lines(size: int) -> int:
    """Return a stride of at least ``size`` bytes, an odd number of cache lines: rows spread over the sets."""
    size = rounded(size, LINE)
    return size if size // LINE % 2 else size + LINE
