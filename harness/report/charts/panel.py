"""``Panel``: one chart with its words and its numbers; ``Figure``: panels that answer one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import clean

Spec = dict[str, Any]
Datum = dict[str, str | float | int | None]

AXIS, LEGEND = 20, 14
"""How many letters of a name fit beside an axis, and into a legend."""

CONFIG: Mapping[str, Any] = {
    "font": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": "#333",
        "titleColor": "#333",
        "gridColor": "#ddd",
        "domainColor": "#888",
        "tickColor": "#888",
        "labelLimit": 150,
    },
    "legend": {"labelFontSize": 12, "labelLimit": 110, "labelColor": "#333", "symbolSize": 70, "symbolOpacity": 1},
    "point": {"opacity": 1},
    "text": {"fontSize": 12, "color": "#333"},
}
"""The style of every chart; the style sheet of the page adds the colours of its light or dark theme."""


@dataclass(frozen=True)
class Panel:
    """One chart: its specification without a size, its data as a table, and a description in words."""

    title: str
    description: str
    """For screen readers, and for the file of a figure."""
    spec: Spec
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: str = "plain"


@dataclass(frozen=True)
class Figure:
    """Panels that answer one question."""

    title: str
    note: str
    panels: tuple[Panel, ...]


def chart(data: Sequence[Mapping[str, Any]], layers: Sequence[Spec], **rest: Any) -> Spec:
    """Return a layered chart of one set of data, as wide as its container."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": dict(CONFIG),
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": [dict(datum) for datum in data]},
        "layer": list(layers),
        **rest,
    }


def quantity(field: str, title: str | None, **rest: Any) -> Spec:
    """Return a channel of numbers; ``title`` names the quantity and its unit."""
    return {"field": field, "type": "quantitative", "title": title, **rest}


def category(field: str, **rest: Any) -> Spec:
    """Return a channel of names."""
    return {"field": field, "type": "nominal", **rest}


def tooltip(**fields: str) -> list[Spec]:
    """Return what is shown under the pointer; ``fields`` are titles by field."""
    return [{"field": name, "title": title} for name, title in fields.items()]


def distinct(names: Sequence[str]) -> list[str]:
    """Return printable names, with numbers added if two would share one place on an axis."""
    shown: list[str] = []
    for name in map(clean, names):
        copies = sum(other == name or other.startswith(f"{name} (#") for other in shown)
        shown.append(f"{name} (#{copies + 1})" if copies else name)
    return shown


def brief(names: Sequence[str], longest: int) -> list[str]:
    """Return names that are short enough for a chart, cut in the middle, because names often differ at the end."""
    half = (longest - 1) // 2
    cut = [name if len(name) <= longest else f"{name[: longest - 1 - half]}…{name[-half:]}" for name in names]
    return distinct(cut)
