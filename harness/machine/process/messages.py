"""Messages of the child as the parent reads them: one file each, taken away once it is read."""

from __future__ import annotations

import json
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

LARGEST = 64 << 20
"""Bytes of the largest message that is read."""


def read_message(path: Path, token: str) -> dict[str, Any] | None:
    """Return one message; what is no plain file, not whole or lacks the token does not come from our child."""
    try:
        content = _content(path)
    except (OSError, ValueError, RecursionError):
        return None
    finally:
        with suppress(OSError):  # so that a look at the folder stays cheap, however much is said
            path.unlink()
    if not isinstance(content, dict) or content.get("token") != token:
        return None
    message = content.get("message")
    return message if isinstance(message, dict) else None


def _content(path: Path) -> Any:
    figures = path.lstat()
    if not stat.S_ISREG(figures.st_mode) or figures.st_size > LARGEST:
        raise ValueError(path)
    return json.loads(path.read_bytes())
