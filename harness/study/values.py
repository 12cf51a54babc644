"""Readers of single values: each returns the value in its type or raises a ``RequestError`` that says what to give."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

from harness.errors import RequestError, nearest
from harness.study import units

Read = Callable[[Any], Any]


def text(value: Any) -> str:
    """Read a string of one line that says something."""
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
    """Return a reader of whole numbers from ``low`` to ``high``."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise RequestError(f"give a whole number from {low} to {high}")
        return value

    return read


def count(high: int) -> Read:
    """Return a reader of whole numbers from 1, or ``"all"``."""

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
    """Return a reader of one of the known words."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise RequestError(f"give the name of one {what} in quotes")
        if value not in known:
            raise RequestError(f"unknown {what}{nearest(value, known)}")
        return value

    return read


def duration(value: Any) -> float:
    """Read seconds as a number, or a duration such as ``"2m"``; a tenth of a second to a week."""
    found = units.seconds(value) if isinstance(value, str) else positive(value)
    if not 0.1 <= found <= 7 * 86400:
        raise RequestError("give a time from 0.1 s to a week")
    return found


def size(value: Any) -> int:
    """Read bytes as a whole number, or a size such as ``"4 GiB"``; 1 MiB or more."""
    found = units.size(value) if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, int) or not 2**20 <= found < 2**63:
        raise RequestError("give a size from 1 MiB, such as '4 GiB'")
    return found


def table(value: Any) -> dict[str, Any]:
    """Read a table."""
    if not isinstance(value, dict):
        raise RequestError("give a table, {key = value}")
    return value


def items(value: Any) -> list[Any]:
    """Read one value or a list of them: every axis takes both."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise RequestError("an empty list leaves nothing to run; give one value or more")
    return values
