"""What the line charts share: one legend of colours and shapes, and dashes once the colours start again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.report.charts.palette import DASHES, Look
from harness.report.charts.panel import Datum, Spec, category

HEIGHT = 300
LEGEND = {"orient": "bottom", "columns": 2, "title": None, "symbolStrokeWidth": 2}
Drawn = Mapping[str, Look]
"""The look of each series, by its name in the chart."""


def color(drawn: Drawn) -> Spec:
    """Return the channel for the colours of the series."""
    return _channel(drawn, [drawn[name].colour for name in sorted(drawn)])


def points(drawn: Drawn) -> Spec:
    """Return the channels that distinguish the points of the series."""
    return {"color": color(drawn), "shape": _channel(drawn, [drawn[name].shape for name in sorted(drawn)])}


def dashed(data: Sequence[Datum], drawn: Drawn) -> list[Datum]:
    """Return the data with the number of the dash of each series, by which ``lines`` filters."""
    return [{**datum, "dash": DASHES.index(drawn[str(datum["series"])].dash)} for datum in data]


def lines(drawn: Drawn, encoding: Spec, only: Sequence[Spec] = ()) -> list[Spec]:
    """Return a layer of lines for each dash. A channel for dashes would also draw the symbols of the legend dashed."""
    return [
        {
            "transform": [*only, {"filter": {"field": "dash", "equal": DASHES.index(dash)}}],
            "mark": {"type": "line", "strokeWidth": 1.8, "strokeDash": list(dash)},
            "encoding": {**encoding, "color": color(drawn)},
        }
        for dash in sorted({look.dash for look in drawn.values()})
    ]


def _channel(drawn: Drawn, values: Sequence[str]) -> Spec:
    return category("series", scale={"domain": sorted(drawn), "range": list(values)}, legend=LEGEND)
