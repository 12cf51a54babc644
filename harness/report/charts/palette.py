"""One look for each contender, the same in every figure: a colour for its backend, a shape for its options.

The colours are those of Okabe and Ito without black and yellow, which vanish on a dark or on a white page, and with a
grey. Seven colours, eight shapes: 56 backends before two look alike. No figure leans on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.report.summary import Summary

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


DASHES = ((1, 0), (5, 3), (2, 2))
"""Of lines: the next one each time the colours start again."""


@dataclass(frozen=True)
class Look:
    """How a contender is drawn."""

    colour: str
    shape: str
    dash: tuple[int, ...]


Looks = Mapping[str, Look]
"""By label."""


def looks(summaries: Iterable[Summary]) -> Looks:
    """Return a look for each label, by alphabet, so that it does not hang on who is fastest."""
    labels: dict[str, set[str]] = {}
    for one in summaries:
        labels.setdefault(one.cell.backend, set()).add(one.label)
    return {
        label: Look(
            COLOURS[i % len(COLOURS)], SHAPES[(i + turn) % len(SHAPES)], DASHES[i // len(COLOURS) % len(DASHES)]
        )
        for i, backend in enumerate(sorted(labels))
        for turn, label in enumerate(sorted(labels[backend], key=lambda name: (len(name), name)))
    }
