"""Checks that several stations make of a request, each with its one-line refusal."""

from __future__ import annotations

import operator
from typing import Any

from harness.errors import RequestError


def whole_number(what: str, value: Any, unit: str) -> int:
    """Return ``value`` as an ``int`` of 1 or more (NumPy integers too), or refuse it."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or number < 1:
        raise RequestError(f"{what}={value!r}: give a whole number of {unit}, 1 or more")
    return number
