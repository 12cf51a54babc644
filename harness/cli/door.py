"""The one door through which every command ends: what it returns or raises becomes an exit code and one line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress

from harness.cli import streams
from harness.cli.codes import FELL_SHORT, INPUT_OUTPUT, INTERNAL, INTERRUPTED, WRONG_REQUEST
from harness.errors import (
    DataError,
    HarnessError,
    InputOutputError,
    RequestError,
    Unavailable,
    Unsupported,
    clean,
    input_output_error,
)

TRACEBACK = "HARNESS_TRACEBACK"
"""The environment variable that, set to 1, shows the traceback of every error that was not foreseen."""


def leave(command: Callable[[], int]) -> int:
    """Run a command and return its exit code. Whatever it raises is told in one line on standard error."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output wanted no more of it, as `head` does
        streams.forget(sys.stdout)
        return FELL_SHORT
    except KeyboardInterrupt:
        return _ended("interrupted", INTERRUPTED)
    except Exception as error:  # noqa: BLE001  this is the last place that can turn it into one line
        return _failed(error)
    return code


def _failed(error: Exception) -> int:
    if isinstance(error, HarnessError):
        return _ended(error, _code(error))
    message, code = _unforeseen(error)
    return _ended(f"{_traceback(error)}{message}", code)


def _code(error: HarnessError) -> int:
    if isinstance(error, InputOutputError | DataError):
        return INPUT_OUTPUT
    return WRONG_REQUEST if isinstance(error, RequestError | Unsupported | Unavailable) else FELL_SHORT


def _unforeseen(error: Exception) -> tuple[str, int]:
    """Return the message and the exit code of an error that the harness did not raise on purpose."""
    import sqlite3  # noqa: PLC0415  only an error pays for this import

    if isinstance(error, OSError):
        told = input_output_error(error)
        return str(told), _code(told)
    if isinstance(error, sqlite3.Error):
        return f"a store cannot be read or written: {error}", INPUT_OUTPUT
    too_many_digits = isinstance(error, ValueError) and "integer string conversion" in str(error)
    if isinstance(error, OverflowError) or too_many_digits:
        return f"a number is too large to compute with: {error}; give a smaller one", WRONG_REQUEST
    step = f"set {TRACEBACK}=1 to see where it happened, and please report it"
    return f"internal error: {type(error).__name__}: {clean(error)}; {step}", INTERNAL


def _traceback(error: Exception) -> str:
    """Return the traceback if ``HARNESS_TRACEBACK`` asks for it, else nothing."""
    if os.environ.get(TRACEBACK, "") in ("", "0"):
        return ""
    import traceback  # noqa: PLC0415  only an error pays for this import

    return "".join(traceback.format_exception(error))


_MANY_DIGITS = re.compile(r"\d{80,}")


def _shortened(number: re.Match[str]) -> str:
    digits = number.group()
    return f"{digits[:10]}...{digits[-10:]} ({len(digits)} digits)"


def _ended(message: object, code: int) -> int:
    """Print each line of a message, without anything that could steer a terminal, and return the exit code."""
    try:
        sys.stdout.flush()
    except OSError:  # otherwise the interpreter would fail on it at its end
        streams.forget(sys.stdout)
    try:
        for line in str(message).splitlines():
            indent = line[: len(line) - len(line.lstrip(" "))]
            print(f"harness: {indent}{_MANY_DIGITS.sub(_shortened, clean(line))}", file=sys.stderr)
    except OSError:  # nobody can be told, but the exit code says it
        with suppress(OSError):
            streams.forget(sys.stderr)
    return code
