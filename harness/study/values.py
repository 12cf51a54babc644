"""Read single values: each function returns the value in its type or raises ``RequestError`` with what to give."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from harness.errors import RequestError, nearest
from harness.study import units

Read = Callable[[Any], Any]
"""Returns the value in its type, or raises ``RequestError``."""

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(:[1-9]\d{0,3})?")


def text(value: Any) -> str:
    """Read a string of one line that is not empty."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise RequestError("give some text on one line, in quotes")
    return value


def prose(value: Any) -> str:
    """Read a string of any length."""
    if not isinstance(value, str):
        raise RequestError("give text in quotes")
    return value.strip()


def boolean(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise RequestError("give true or false")
    return value


def whole(low: int, high: int) -> Read:
    """Return a function that reads a whole number from ``low`` to ``high``."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise RequestError(f"give a whole number from {low} to {high}")
        return value

    return read


def count(high: int) -> Read:
    """Return a function that reads a whole number from 1 to ``high``, or ``"all"``."""

    def read(value: Any) -> int | str:
        if value == "all":
            return "all"
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= high:
            return value
        raise RequestError(f'give a whole number from 1 to {high}, or "all"')

    return read


def positive(value: Any) -> float:
    """Read a finite number above 0."""
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not 0 < number < math.inf:
        raise RequestError("give a finite number above 0")
    return number


def word(what: str, known: Collection[str]) -> Read:
    """Return a function that reads one of the ``known`` words; ``what`` says in messages what the word names."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise RequestError(f"give the name of one {what} in quotes")
        if value not in known:
            raise RequestError(f"unknown {what}{nearest(value, known)}")
        return value

    return read


def duration(value: Any) -> float:
    """Read a number of seconds, or a duration such as ``"2m"``: from a tenth of a second to a week."""
    length = units.seconds(value) if isinstance(value, str) else positive(value)
    if not 0.1 <= length <= 7 * 86400:
        raise RequestError("give a time from 0.1 s to a week")
    return length


def size(value: Any) -> int:
    """Read a whole number of bytes, or a size such as ``"4 GiB"``: 1 MiB or more."""
    length = units.size(value) if isinstance(value, str) else value
    if isinstance(length, bool) or not isinstance(length, int) or not 2**20 <= length < 2**63:
        raise RequestError("give a size from 1 MiB, such as '4 GiB'")
    return length


def option(value: Any) -> str | int:
    """Read a value of an option whose table is not known."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RequestError("give text in quotes or a whole number")
    return value


def table(value: Any) -> dict[str, Any]:
    """Read a table."""
    if not isinstance(value, dict):
        raise RequestError("give a table, {key = value}")
    return value


def items(value: Any) -> list[Any]:
    """Read one value or a list of them, and return a list; an empty list is refused."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise RequestError("an empty list leaves nothing to run; give one value or more")
    return values


def interpreter(folder: Path, value: Any) -> str:
    """Return the absolute path of an interpreter, given by a path that starts at ``folder`` or by a name on the PATH.

    Links are kept, because a virtual environment is known by its link.
    """
    name = text(value)
    program = str((folder / Path(name).expanduser()).absolute()) if os.sep in name else shutil.which(name)
    if not program or not Path(program).is_file() or not os.access(program, os.X_OK):
        raise RequestError(
            f"there is no interpreter{f' ({program})' if program else ''}; relative paths start at the study"
        )
    return program


def host(value: Any) -> str:
    """Read the name of a machine, with ``:slots`` if it has several; it may not look like an option of a command."""
    name = text(value)
    if not _HOST.fullmatch(name):
        raise RequestError("give a host name, with :slots if it has more than one")
    return name
