"""Where results go: the terminal as it is, or a file that is replaced whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from pathlib import Path

from harness.errors import HarnessError, RequestError

NARROWEST, WIDEST, PIPED = 60, 100, 100


def stdout_width() -> int:
    """Return the columns of the terminal, or 100 where standard output is piped."""
    if not sys.stdout.isatty():
        return PIPED
    return max(NARROWEST, shutil.get_terminal_size((PIPED, 24)).columns)


def prose_width() -> int:
    """Return the columns for sentences: those of the terminal or of ``COLUMNS``, but not too wide to read."""
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def stdout_color() -> bool:
    """Tell whether standard output is a terminal that wants colours (``NO_COLOR`` is respected)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def deliver(content: bytes, target: Path | None) -> None:
    """Write to a file, replaced whole or not at all, or to standard output where there is no target."""
    if target is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    if target.is_dir():
        raise RequestError(f"{target}: this is a folder; name a file with -o")
    if not target.parent.is_dir():
        raise RequestError(f"{target}: there is no folder {target.parent}; make it, or name another file with -o")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a pipe or a device: nothing to replace
            return
        _replace(target.resolve(), content)
    except OSError as error:
        raise HarnessError(f"{target}: {error.strerror}; nothing was written there") from error


def _replace(target: Path, content: bytes) -> None:
    draft = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
