"""From an exception to the end state of a row and its reason on one line."""

from __future__ import annotations

import traceback
from pathlib import Path

from harness.errors import Unavailable, Unsupported
from harness.runner.row import State

MEMORY_ERRORS = frozenset({"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"})
"""Class names by which Python and the frameworks say that memory is spent."""

MEMORY_WORDS = ("out of memory", "out_of_memory", "resource_exhausted")

LONGEST = 2000
"""Characters of a reason: a framework's message may hold a whole program."""


def outcome(error: BaseException) -> tuple[State, str]:
    """Return the state and the reason: what kind of error, what it says and the line that raised it."""
    if isinstance(error, Unsupported):
        return "unsupported", _short(str(error))
    if isinstance(error, Unavailable):
        return "unavailable", _short(str(error))
    state: State = "out-of-memory" if _about_memory(error) else "error"
    return state, _short(f"{type(error).__name__}: {error}{_where(error)}")


def _about_memory(error: BaseException) -> bool:
    if error.__cause__ is not None and _about_memory(error.__cause__):  # a dataset's or a plugin's, told by the harness
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    return bool(names & MEMORY_ERRORS) or any(words in text for words in MEMORY_WORDS)


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return "".join(f" ({Path(frame.filename).name}, line {frame.lineno}, in {frame.name})" for frame in frames)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
