"""Accuracy over time: by epoch if the study asked for a history, otherwise only the end of training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from harness.report.charts.lines import HEIGHT, dashed, lines, points
from harness.report.charts.palette import Looks
from harness.report.charts.panel import LEGEND, Datum, Figure, Panel, Spec, brief, chart, distinct, quantity, tooltip
from harness.report.figures import three
from harness.report.summary import Section, Summary

TITLE = "How soon is it accurate?"
NOTE = (
    "Accuracy over the seconds of training, including the first epoch and its compilation: by epoch if the study asked "
    "for a history, otherwise only the end of training."
)
COLUMNS = ("backend", "epoch", "seconds", "accuracy %")


def figure(section: Section, looks: Looks) -> list[Figure]:
    """Return the figure: a panel for each batch and number of workers."""
    groups: dict[tuple[int, int], list[tuple[Summary, list[Datum]]]] = {}
    for summary in section.summaries:
        reached = list(_points(summary))
        if reached:
            groups.setdefault((summary.cell.workers, summary.cell.batch), []).append((summary, reached))
    panels = [_panel(where, groups[where], looks) for where in sorted(groups)]
    return [Figure(TITLE, NOTE, tuple(panels))] if panels else []


def _points(summary: Summary) -> Iterator[Datum]:
    """Yield epoch, seconds and accuracy from the first good round that has them."""
    for row in summary.good:
        history = [point for entry in row.history if (point := _point(entry))]
        if history:
            yield from history
            return
    first = summary.middle(lambda row: row.first_epoch_seconds)
    accuracy = summary.middle(lambda row: row.accuracy)
    if first is not None and summary.epoch is not None and accuracy is not None:
        epochs = summary.cell.epochs
        yield {"epoch": 1 + epochs, "seconds": first + epochs * summary.epoch.value, "accuracy": 100 * accuracy}


def _point(entry: Any) -> Datum | None:
    epoch, seconds, accuracy = (entry.get(name) for name in ("epoch", "seconds", "accuracy"))
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in (epoch, seconds, accuracy)):
        return None
    return {"epoch": int(epoch), "seconds": seconds, "accuracy": 100 * accuracy} if seconds > 0 else None


def _panel(where: tuple[int, int], group: Sequence[tuple[Summary, list[Datum]]], looks: Looks) -> Panel:
    workers, batch = where
    title = f"batch {batch}, {workers} {'worker' if workers == 1 else 'workers'}"
    names = distinct([summary.label for summary, _ in group])
    shorts = brief(names, LEGEND)
    data: list[Datum] = [
        {**point, "series": short, "name": name}
        for name, short, (_, reached) in zip(names, shorts, group, strict=True)
        for point in reached
    ]
    rows = tuple(
        (str(datum["name"]), str(datum["epoch"]), *map(_shown, (datum["seconds"], datum["accuracy"]))) for datum in data
    )
    drawn = {name: looks[summary.label] for name, (summary, _) in zip(shorts, group, strict=True)}
    best = max(data, key=lambda datum: float(datum["accuracy"] or 0))
    reached = f"the best is {best['name']} with {_shown(best['accuracy'])} %"
    described = f"Accuracy against time, {title}: {len(names)} series; {reached}."
    return Panel(title, described, _spec(data, drawn), COLUMNS, rows, kind="lines")


def _spec(data: Sequence[Datum], drawn: Looks) -> Spec:
    x = quantity(
        "seconds",
        "seconds of training, log scale",
        scale={"type": "log", "nice": False, "padding": 14},
        axis={"tickCount": 4, "labelOverlap": True},
    )
    y = quantity("accuracy", "accuracy (%)", scale={"zero": False, "padding": 10})
    told = tooltip(name="backend", epoch="epoch", seconds="seconds", accuracy="accuracy (%)")
    layers: list[Spec] = [
        *lines(drawn, {"x": x, "y": y}),
        {
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {"x": x, "y": y, **points(drawn), "tooltip": told},
        },
    ]
    return chart(dashed(data, drawn), layers, height=HEIGHT)


def _shown(value: str | float | None) -> str:
    return three(float(value)) if value is not None else "-"
