"""``RemoteFile``: one file of a dataset, its mirrors, and how it is verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file. It is searched in the data folders by its path, or fetched from the first mirror that has it."""

    path: str
    """Folder and name below a data folder: ``"mnist/train-images-idx3-ubyte.gz"``."""
    urls: tuple[str, ...]
    """Mirrors, tried in order; each must serve the same content."""
    verify: Callable[[Path], None]
    """Raises ``DataError`` if the file is not the right one. It checks the decompressed content."""
    known_hash: str | None = None
    """``"algorithm:hex"`` of the published file, checked only after a download; ``None``: ``verify`` alone decides."""
