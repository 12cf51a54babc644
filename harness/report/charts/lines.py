"""What several line charts share: one legend of colours and shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.report.charts.palette import Look
from harness.report.charts.panel import Spec, category

HEIGHT = 300
COLUMNS = 2


def series(drawn: Mapping[str, Look]) -> Spec:
    """Return the channels that tell the series of a chart apart, by the name they have in it, with one legend."""
    domain = sorted(drawn)

    def scale(values: Sequence[str]) -> Spec:
        return {"domain": domain, "range": list(values)}

    legend = {"orient": "bottom", "columns": COLUMNS, "title": None, "symbolStrokeWidth": 2}
    return {
        "color": category("series", scale=scale([drawn[name].colour for name in domain]), legend=legend),
        "shape": category("series", scale=scale([drawn[name].shape for name in domain]), legend=legend),
    }
