"""The bars of the papers: time per epoch, GFLOP/s and speedup, with a panel for each batch and worker count.

Bars start at zero, so that their lengths can be compared. If the slowest is more than ``WIDE`` times the fastest, the
axis is logarithmic. The length of a bar would then mean nothing, so a point with its interval is drawn instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from harness.report.figures import itself, marked, speedup, spread, three, time_unit
from harness.report.statistics import Estimate
from harness.report.summary import Section, Summary

WIDE = 30.0
STEP = 24
ROOM = 1.25
"""The axis is longer than the longest bar by this factor, to leave room for the number at its end."""


@dataclass(frozen=True)
class Measure:
    """One thing that bars show: how to get it from a cell, and what to call it."""

    title: str
    axis: str
    note: str
    value: Callable[[Summary], Estimate | None]
    shown: Callable[[Summary, Estimate], str]
    reference: float | None = None


def _measures(section: Section) -> tuple[Measure, ...]:
    """Return the three measures, with one unit of time for the whole section."""
    size, unit = time_unit(section.summaries)
    return (
        Measure(
            "How long does one epoch take?",
            f"time per epoch ({unit})",
            "Less is better. Median of the rounds with its 95 % interval; an asterisk: the cell lost rounds.",
            lambda cell: _scaled(cell.epoch, 1 / size),
            lambda cell, time: marked(f"{three(time.value)} {unit}", lost=cell.lost),
        ),
        Measure(
            "How fast is the arithmetic?",
            "GFLOP/s",
            "More is better. Operations of the matrix products by the formula of the papers, over the time per epoch.",
            _gflops,
            lambda cell, rate: marked(three(rate.value), lost=cell.lost),
        ),
        Measure(
            "How much faster than its serial counterpart?",
            "speedup",
            "Over the serial counterpart, paired by run and round. A question mark: no interval, or one that holds 1. "
            "An asterisk: the cell or its counterpart lost rounds.",
            lambda cell: cell.speedup,
            lambda cell, ratio: marked(speedup(ratio), lost=cell.lost or cell.counterpart_lost),
            reference=1.0,
        ),
    )


def _scaled(time: Estimate | None, factor: float) -> Estimate | None:
    if time is None:
        return None
    low, high = (None if end is None else end * factor for end in (time.low, time.high))
    return Estimate(time.value * factor, low, high, time.count)


def _gflops(cell: Summary) -> Estimate | None:
    """Return the rate with the interval that follows from the time per epoch."""
    rate, epoch = cell.middle(lambda row: row.gflops), cell.epoch
    if rate is None or rate <= 0 or epoch is None:
        return None
    low, high = (None if end is None else rate * epoch.value / end for end in (epoch.high, epoch.low))
    return Estimate(rate, low, high, epoch.count)


def figures(section: Section, looks: Looks) -> list[Figure]:
    """Return the figures of the papers for one problem, without those that have nothing to show."""
    drawn = [Figure(kind.title, kind.note, tuple(_panels(section, kind, looks))) for kind in _measures(section)]
    return [figure for figure in drawn if figure.panels]


def _panels(section: Section, measure: Measure, looks: Looks) -> list[Panel]:
    groups: dict[tuple[int, int], list[tuple[Summary, Estimate]]] = {}
    for summary in section.summaries:
        value = measure.value(summary)
        if value is not None:
            groups.setdefault((summary.cell.workers, summary.cell.batch), []).append((summary, value))
    telling = [where for where in sorted(groups) if not all(itself(value) for _, value in groups[where])]
    return [_panel(where, groups[where], measure, looks) for where in telling]


def _panel(where: tuple[int, int], group: Sequence[tuple[Summary, Estimate]], measure: Measure, looks: Looks) -> Panel:
    workers, batch = where
    labels = distinct([summary.label for summary, _ in group])
    title = f"batch {batch}, {workers} {'worker' if workers == 1 else 'workers'}"
    data: list[Datum] = [
        {
            "label": short,
            "name": name,
            "order": order,
            "value": value.value,
            "low": value.value if value.low is None else value.low,
            "high": value.value if value.high is None else value.high,
            "end": value.value if value.high is None else max(value.high, value.value),
            "text": measure.shown(summary, value),
            "colour": looks[summary.label].colour,
            "shape": looks[summary.label].shape,
        }
        for order, (name, short, (summary, value)) in enumerate(zip(labels, brief(labels, AXIS), group, strict=True))
    ]
    rows = tuple(
        (name, measure.shown(cell, value), three(value.low), three(value.high), spread(value), str(value.count))
        for name, (cell, value) in zip(labels, group, strict=True)
    )
    best = f"{labels[0]} with {measure.shown(*group[0])}"
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
