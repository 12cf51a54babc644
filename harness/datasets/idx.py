"""The IDX format of MNIST: a magic number, the dimensions, then one unsigned byte for each value."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.contract.arrays import Array
from harness.datasets import gz
from harness.errors import DataError

UNSIGNED_BYTE = 0x08


@dataclass(frozen=True)
class Idx:
    """What one file must hold."""

    dimensions: tuple[int, ...]
    sha256: str | None = None
    """The hash of the decompressed content; ``None``: only the structure is known."""

    @property
    def header(self) -> bytes:
        """The first bytes: two zeros, the type, the number of dimensions, and each dimension as a big-endian word."""
        magic = (0, 0, UNSIGNED_BYTE, len(self.dimensions))
        return struct.pack(f">4B{len(self.dimensions)}I", *magic, *self.dimensions)

    def read(self, path: Path) -> Array:
        """Return the values as uint8 in the file's dimensions; raise ``DataError`` if the file holds something else."""
        header = self.header
        content = gz.content(path, len(header) + math.prod(self.dimensions))
        if content[:4] != header[:4]:
            raise DataError(f"{path}: magic number {content[:4].hex()} instead of {header[:4].hex()}; {gz.ADVICE}")
        if content[: len(header)] != header:
            dimensions = struct.unpack(f">{len(self.dimensions)}I", content[4 : len(header)])
            raise DataError(f"{path}: dimensions {dimensions} instead of {self.dimensions}; {gz.ADVICE}")
        if self.sha256 is not None and hashlib.sha256(content).hexdigest() != self.sha256:
            raise DataError(f"{path}: the decompressed content has another hash than the published one; {gz.ADVICE}")
        return np.frombuffer(content, np.uint8, offset=len(header)).reshape(self.dimensions)

    def verify(self, path: Path) -> None:
        """Raise the ``DataError`` that ``read`` would raise; do nothing for a valid file."""
        self.read(path)
