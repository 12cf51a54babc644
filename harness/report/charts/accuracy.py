"""Accuracy against time: the history by epoch where a study asked for it, else where each backend ended."""

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
    "Accuracy against the seconds of training, the first epoch with its compilation included; by epoch where the study "
    "asked for a history, else where training ended."
)
COLUMNS = ("backend", "epoch", "seconds", "accuracy %")


def figure(section: Section, looks: Looks) -> list[Figure]:
    """Return the figure: a panel for each batch and number of workers."""
    groups: dict[tuple[int, int], list[tuple[Summary, list[Datum]]]] = {}
    for one in section.summaries:
        reached = list(_points(one))
        if reached:
            groups.setdefault((one.cell.workers, one.cell.batch), []).append((one, reached))
    panels = [_panel(where, groups[where], looks) for where in sorted(groups)]
    return [Figure(TITLE, NOTE, tuple(panels))] if panels else []


def _points(one: Summary) -> Iterator[Datum]:
    """Yield epoch, seconds and accuracy of the first good round that has them."""
    for row in one.good:
        found = [point for entry in row.history if (point := _point(entry))]
        if found:
            yield from found
            return
    first, accuracy = one.middle(lambda row: row.first_epoch_seconds), one.middle(lambda row: row.accuracy)
    if first is not None and one.epoch is not None and accuracy is not None:
        epochs = one.cell.epochs
        yield {"epoch": 1 + epochs, "seconds": first + epochs * one.epoch.value, "accuracy": 100 * accuracy}


def _point(entry: Any) -> Datum | None:
    epoch, seconds, accuracy = (entry.get(name) for name in ("epoch", "seconds", "accuracy"))
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in (epoch, seconds, accuracy)):
        return None
    return {"epoch": int(epoch), "seconds": seconds, "accuracy": 100 * accuracy} if seconds > 0 else None


def _panel(where: tuple[int, int], found: Sequence[tuple[Summary, list[Datum]]], looks: Looks) -> Panel:
    workers, batch = where
    title = f"batch {batch}, {workers} {'worker' if workers == 1 else 'workers'}"
    names = distinct([one.label for one, _ in found])
    shorts = brief(names, LEGEND)
    data: list[Datum] = [
        {**point, "series": short, "name": name}
        for name, short, (_, reached) in zip(names, shorts, found, strict=True)
        for point in reached
    ]
    rows = tuple(
        (str(datum["name"]), str(datum["epoch"]), *map(_shown, (datum["seconds"], datum["accuracy"]))) for datum in data
    )
    drawn = {name: looks[one.label] for name, (one, _) in zip(shorts, found, strict=True)}
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
