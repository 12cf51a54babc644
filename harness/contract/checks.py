"""Checks of what a caller gives, each with a refusal on one line."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from harness.errors import RequestError, nearest


def whole_number(what: str, value: Any, unit: str) -> int:
    """Return ``value`` as an ``int`` of 1 or more (NumPy integers too), or refuse it."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or number < 1:
        raise RequestError(f"{what}={value!r}: give a whole number of {unit}, 1 or more")
    return number


def one_of(name: str, value: object, known: Iterable[str]) -> str:
    """Return ``value`` where it is one of the ``known`` words, or refuse it and say the nearest of them."""
    words = tuple(known)
    if isinstance(value, str) and value in words:
        return value
    raise RequestError(f"{name}={value!r} is unknown{nearest(str(value), words)}")
