"""One look for each backend, the same in every figure: a colour for the backend, a shape for its options.

The colours are those of Okabe and Ito and a grey, without black and yellow, which cannot be seen on a dark or on a
white page. Seven colours and eight shapes give 56 looks before two are alike. No figure relies on colour alone.
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
"""The dashes of lines; the next one is used each time the colours start again."""


@dataclass(frozen=True)
class Look:
    """How a backend with its options is drawn."""

    colour: str
    shape: str
    dash: tuple[int, ...]


Looks = Mapping[str, Look]
"""The look of each label."""


def looks(summaries: Iterable[Summary]) -> Looks:
    """Return a look for each label, in alphabetical order, so that it does not depend on which is fastest."""
    labels: dict[str, set[str]] = {}
    for summary in summaries:
        labels.setdefault(summary.cell.backend, set()).add(summary.label)
    return {
        label: Look(
            COLOURS[i % len(COLOURS)], SHAPES[(i + turn) % len(SHAPES)], DASHES[i // len(COLOURS) % len(DASHES)]
        )
        for i, backend in enumerate(sorted(labels))
        for turn, label in enumerate(sorted(labels[backend], key=lambda name: (len(name), name)))
    }
