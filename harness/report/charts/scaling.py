"""How speedup over workers is drawn: measured points and lines, the ideal line, Amdahl's law."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.charts.lines import HEIGHT, Drawn, color, dashed, lines, points
from harness.report.charts.panel import Datum, Spec, chart, quantity, tooltip

WORKERS, SPEEDUP = "workers, log scale", "speedup, log scale"
SCALE = {"type": "log", "base": 2, "nice": False, "padding": 12}


def spec(data: Sequence[Datum], counts: Sequence[int], drawn: Drawn) -> Spec:
    """Return the chart of data with ``workers``, ``speedup``, ``low`` and ``high``, or ``at`` and ``law``."""
    x = quantity("workers", WORKERS, scale=SCALE, axis={"values": list(counts), "format": "d"})
    y = quantity("speedup", SPEEDUP, scale=SCALE, axis={"tickCount": 6})
    layers = [_ideal(x, y, counts), *_measured(x, y, drawn)]
    if any("law" in datum for datum in data):
        layers.append(_law(drawn))
    return chart(dashed(data, drawn), layers, height=HEIGHT)


def _ideal(x: Spec, y: Spec, counts: Sequence[int]) -> Spec:
    ends = [{"workers": count, "speedup": count / counts[0]} for count in (counts[0], counts[-1])]
    mark = {"type": "line", "color": "#333", "strokeDash": [4, 3], "strokeWidth": 1.2}
    return {"data": {"values": ends}, "mark": mark, "encoding": {"x": x, "y": y}}


def _measured(x: Spec, y: Spec, drawn: Drawn) -> list[Spec]:
    told = tooltip(name="backend", workers="workers", speedup="speedup", low="from", high="to")
    interval = {"x": x, "y": quantity("low", SPEEDUP), "y2": {"field": "high"}, "color": color(drawn)}
    only: list[Spec] = [{"filter": {"field": "speedup", "valid": True}}]
    return [
        *lines(drawn, {"x": x, "y": y}, only),
        {"transform": only, "mark": {"type": "rule"}, "encoding": interval},
        {
            "transform": only,
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
            "encoding": {"x": x, "y": y, **points(drawn), "tooltip": told},
        },
    ]


def _law(drawn: Drawn) -> Spec:
    return {
        "transform": [{"filter": {"field": "law", "valid": True}}],
        "mark": {"type": "line", "strokeWidth": 1, "strokeDash": [1, 2]},
        "encoding": {"x": quantity("at", WORKERS), "y": quantity("law", SPEEDUP), "color": color(drawn)},
    }
