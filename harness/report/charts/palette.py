"""One look for each backend, the same in every figure: a colour and a shape.

The colours are those of Okabe and Ito without black and yellow, which vanish on a dark or on a white page, and with a
grey. Seven colours, eight shapes: 56 backends before two look alike. No figure leans on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C8C")
SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
)


@dataclass(frozen=True)
class Look:
    """How a backend, or one series of a chart, is drawn."""

    colour: str
    shape: str


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return a look for each name, by alphabet, so that it does not hang on who is fastest."""
    return {name: Look(COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)]) for i, name in enumerate(sorted(set(names)))}
