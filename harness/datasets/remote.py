"""``RemoteFile``: one file of a dataset, where it can be had, and how to know that it is the right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file, looked for under the data folders by its path and fetched from the first mirror that has it."""

    path: str
    """Folder and name under a data folder: ``"mnist/train-images-idx3-ubyte.gz"``."""
    urls: tuple[str, ...]
    """Mirrors, tried in order; each must serve the same content."""
    verify: Callable[[Path], None]
    """Raises ``DataError`` where the file is not what it should be; looks at its content, whoever compressed it."""
    known_hash: str | None = None
    """``"algorithm:hex"`` of the file as published, checked after a download only; ``None``: ``verify`` decides."""
