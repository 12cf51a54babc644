"""The papers' bars: time per epoch, GFLOP/s and speedup of every contender, a panel for each batch and worker count.

Bars start at zero, so that their lengths compare. Where the slowest is more than ``WIDE`` times the fastest, the axis
is logarithmic; a length would then mean nothing, and a point with its interval stands in place of the bar.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.charts.measures import Measure, measures
from harness.report.charts.palette import Looks
from harness.report.charts.panel import (
    AXIS,
    Datum,
    Figure,
    Panel,
    Spec,
    brief,
    category,
    chart,
    distinct,
    quantity,
    tooltip,
)
from harness.report.figures import itself, spread, three
from harness.report.statistics import Estimate
from harness.report.summary import Section, Summary

WIDE = 30.0
STEP = 24
ROOM = 1.25
"""Share of the longest bar that the axis is longer, for the figure at its end."""


def figures(section: Section, looks: Looks) -> list[Figure]:
    """Return the figures of the papers for one problem, those that have anything to show."""
    drawn = [Figure(one.title, one.note, tuple(_panels(section, one, looks))) for one in measures(section)]
    return [figure for figure in drawn if figure.panels]


def _panels(section: Section, measure: Measure, looks: Looks) -> list[Panel]:
    groups: dict[tuple[int, int], list[tuple[Summary, Estimate]]] = {}
    for one in section.summaries:
        found = measure.value(one)
        if found is not None:
            groups.setdefault((one.cell.workers, one.cell.batch), []).append((one, found))
    telling = [where for where in sorted(groups) if not all(itself(found) for _, found in groups[where])]
    return [_panel(where, groups[where], measure, looks) for where in telling]


def _panel(where: tuple[int, int], group: Sequence[tuple[Summary, Estimate]], measure: Measure, looks: Looks) -> Panel:
    workers, batch = where
    labels = distinct([one.label for one, _ in group])
    title = f"batch {batch}, {workers} {'worker' if workers == 1 else 'workers'}"
    data: list[Datum] = [
        {
            "label": short,
            "name": name,
            "order": order,
            "value": found.value,
            "low": found.value if found.low is None else found.low,
            "high": found.value if found.high is None else found.high,
            "end": found.value if found.high is None else max(found.high, found.value),
            "text": measure.shown(found),
            "colour": looks[one.label].colour,
            "shape": looks[one.label].shape,
        }
        for order, (name, short, (one, found)) in enumerate(zip(labels, brief(labels, AXIS), group, strict=True))
    ]
    rows = tuple(
        (name, measure.shown(found), three(found.low), three(found.high), spread(found), str(found.count))
        for name, (_, found) in zip(labels, group, strict=True)
    )
    best = f"{labels[0]} with {measure.shown(group[0][1])}"
    described = f"{measure.axis}, {title}: {len(group)} {'bar' if len(group) == 1 else 'bars'}, first {best}."
    columns = ("backend", measure.axis, "from", "to", "±", "rounds")
    return Panel(title, described, _spec(data, measure), columns, rows)


def _spec(data: Sequence[Datum], measure: Measure) -> Spec:
    values = [float(datum[name] or 0) for datum in data for name in ("low", "high")]
    log = min(values) > 0 and max(values) / min(values) > WIDE
    title = f"{measure.axis}, log scale" if log else measure.axis
    scale: Spec = (
        {"type": "log", "nice": False, "padding": 14}
        if log
        else {"zero": True, "nice": False, "domainMax": max(values) * ROOM}
    )
    y = category("label", sort={"field": "order", "op": "min"}, title=None)
    x = quantity("value", title, scale=scale, axis={"tickCount": 5, "grid": True, "labelOverlap": True})
    told = tooltip(name="backend", text=measure.axis, low="from", high="to")
    mark: Spec = {"type": "point", "filled": True, "size": 90} if log else {"type": "bar", "height": {"band": 0.66}}
    drawn: Spec = {"y": y, "x": x, "color": category("colour", scale=None), "tooltip": told}
    if log:
        drawn["shape"] = category("shape", scale=None)
    interval = {"y": y, "x": quantity("low", title), "x2": {"field": "high"}}
    words = {"y": y, "x": quantity("end", title), "text": category("text")}
    shape: Spec = {"mark": mark, "encoding": drawn}
    reach: Spec = {"mark": {"type": "rule", "color": "#333", "strokeWidth": 1.5}, "encoding": interval}
    layers: list[Spec] = [
        *((reach, shape) if log else (shape, reach)),  # a point hides a short interval, a bar never
        {"mark": {"type": "text", "align": "left", "dx": 7}, "encoding": words},
    ]
    if measure.reference is not None:
        line = {"type": "rule", "color": "#333", "strokeDash": [4, 3]}
        layers.append({"mark": line, "encoding": {"x": {"datum": measure.reference}}})
    return chart(data, layers, height=STEP * len(data))
