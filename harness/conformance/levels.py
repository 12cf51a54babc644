"""Values that a check runs on: ``quick`` takes rows that hold every pair of values, ``full`` all of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from harness.conformance.pairwise import pairwise


def crossed(*axes: Sequence[Any]) -> list[Any]:
    """Return parameters for pytest, one a combination of values, those beyond every pair marked ``full``."""
    quick = set(pairwise(axes))
    return [
        pytest.param(*row, id="-".join(map(_word, row)), marks=() if row in quick else pytest.mark.full)
        for row in itertools.product(*axes)
    ]


def _word(value: Any) -> str:
    """Return a value as a word that a shell and ``-k`` take as it is."""
    return "-".join(map(_word, value)) if type(value) is tuple else str(value)
