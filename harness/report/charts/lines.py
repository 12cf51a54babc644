"""What several line charts share: one legend of colours, shapes and dashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.report.charts.palette import Look
from harness.report.charts.panel import Spec, category

HEIGHT = 300
LEGEND = {"orient": "bottom", "columns": 2, "title": None, "symbolStrokeWidth": 2}
Drawn = Mapping[str, Look]
"""The look of each series by the name that it has in the chart."""


def color(drawn: Drawn) -> Spec:
    """Return the channel of a series' colour."""
    return _channel(drawn, [drawn[name].colour for name in sorted(drawn)])


def points(drawn: Drawn) -> Spec:
    """Return the channels that tell points apart."""
    return {"color": color(drawn), "shape": _channel(drawn, [drawn[name].shape for name in sorted(drawn)])}


def lines(drawn: Drawn) -> Spec:
    """Return the channels that tell lines apart."""
    return {"color": color(drawn), "strokeDash": _channel(drawn, [list(drawn[name].dash) for name in sorted(drawn)])}


def _channel(drawn: Drawn, values: Sequence[object]) -> Spec:
    return category("series", scale={"domain": sorted(drawn), "range": list(values)}, legend=LEGEND)
