"""What several line charts share: one legend of colours and shapes."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.charts.palette import looks
from harness.report.charts.panel import Spec, category

HEIGHT = 300
COLUMNS = 2


def series(names: Sequence[str]) -> Spec:
    """Return the channels that tell the series of a chart apart, with one legend for both."""
    known, domain = looks(names), sorted(set(names))

    def scale(values: Sequence[object]) -> Spec:
        return {"domain": domain, "range": list(values)}

    legend = {"orient": "bottom", "columns": COLUMNS, "title": None, "symbolStrokeWidth": 2}
    return {
        "color": category("series", scale=scale([known[name].colour for name in domain]), legend=legend),
        "shape": category("series", scale=scale([known[name].shape for name in domain]), legend=legend),
    }
