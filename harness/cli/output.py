"""Write results to standard output, or to a file that is replaced completely or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from pathlib import Path

from harness.errors import RequestError, input_output_error

NARROWEST, WIDEST, PIPED = 60, 100, 100


def stdout_width() -> int:
    """Return the width of the terminal in columns, or 100 if standard output is piped."""
    if not sys.stdout.isatty():
        return PIPED
    return max(NARROWEST, shutil.get_terminal_size((PIPED, 24)).columns)


def prose_width() -> int:
    """Return the width for sentences: that of the terminal or of ``COLUMNS``, but from 60 to 100 columns."""
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def stdout_color() -> bool:
    """Return whether to print colours: standard output is a terminal, and ``NO_COLOR`` is not set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def deliver(content: bytes, target: Path | None) -> None:
    """Write to the target, which is replaced completely or not at all, or to standard output if there is none."""
    if target is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        if target.is_dir():
            raise RequestError(f"{target}: this is a folder; name a file with -o")
        if not target.parent.is_dir():
            raise RequestError(f"{target}: there is no folder {target.parent}; make it, or name another file with -o")
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a pipe or a device: nothing to replace
            return
        _replace(target.resolve(), content)
    except OSError as error:
        raise input_output_error(_about(error, target)) from error


def _about(error: OSError, target: Path) -> OSError:
    """Return the same error, but naming the target instead of its draft."""
    return OSError(error.errno, f"{error.strerror}; nothing was written there", str(target))


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
