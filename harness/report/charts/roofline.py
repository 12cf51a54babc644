"""The share of the machine's peak as a roofline: GFLOP/s over arithmetic intensity, below the peak and the bandwidths.

The intensity is that of a step that keeps nothing in a cache: every weight is read forward, read backward (but in the
first layer), and read and written by the update; every activation is written once and read twice, every delta written
once and read twice, and the input is read twice. It depends on network and batch alone, so all backends at one batch
stand on one vertical line. A step that keeps its weights in a cache may stand above the roof of memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import clean
from harness.plan.cell import Cell
from harness.report.charts.lines import HEIGHT, points
from harness.report.charts.palette import Looks
from harness.report.charts.panel import (
    LEGEND,
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
from harness.report.figures import three
from harness.report.summary import Section, Summary

TITLE = "How much of this machine is used?"
NOTE = (
    "GFLOP/s against operations for each byte that a step moves if nothing stays in a cache. The flat roof is the "
    "machine's limit at the same threads and dtype, the slopes are the bandwidths of memory and of each cache."
)
COLUMNS = ("backend", "batch", "operations a byte", "GFLOP/s", "% of peak")
BYTES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Limit:
    """What the machine can do at best with one number of threads and one dtype."""

    gflops: float
    bandwidths: tuple[tuple[str, float], ...]
    """``(level, GB/s)`` of each cache and of memory, if they were measured."""


def _limit(summaries: Iterable[Summary]) -> Limit | None:
    """Return the best limit in the receipts of these cells, which may hold anything; ``None`` if there is none."""
    told = [row.receipt.get("limit") for summary in summaries for row in summary.good]
    limits = [limit for limit in told if isinstance(limit, Mapping) and _positive(limit.get("gflops"))]
    if not limits:
        return None
    best = max(limits, key=lambda limit: float(limit["gflops"]))
    return Limit(float(best["gflops"]), tuple(_bandwidths(best.get("bandwidth"))))


def _bandwidths(told: Any) -> Iterable[tuple[str, float]]:
    for level in told if isinstance(told, list | tuple) else ():
        if isinstance(level, Mapping) and _positive(level.get("gb_per_s")):
            yield clean(level.get("level", "?")), float(level["gb_per_s"])


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def figure(section: Section, looks: Looks) -> list[Figure]:
    """Return the figure: a panel for each number of workers whose receipts have the limit of the machine."""
    groups: dict[int, list[Summary]] = {}
    for summary in section.summaries:
        rate, share = summary.middle(lambda row: row.gflops), summary.middle(lambda row: row.peak_share)
        if rate and share and _on_processor(summary):
            groups.setdefault(summary.cell.workers, []).append(summary)
    known = [(workers, cells, _limit(cells)) for workers, cells in sorted(groups.items())]
    panels = [_panel(workers, cells, roof, looks) for workers, cells, roof in known if roof is not None]
    return [Figure(TITLE, NOTE, tuple(panels))] if panels else []


def intensity(cell: Cell) -> float:
    """Return the operations for each byte that a step moves if nothing stays in a cache."""
    sizes, batch = cell.network.sizes, cell.batch
    weights = [inputs * outputs for inputs, outputs in itertools.pairwise(sizes)]
    moved = 4 * sum(weights) - weights[0] + batch * (2 * sizes[0] + 6 * sum(sizes[1:]))
    return batch * cell.network.flops_per_example / (moved * BYTES.get(cell.network.dtype, 4))


def _on_processor(summary: Summary) -> bool:
    return summary.cell.options.get("device") != "cuda" and not summary.cell.hosts


def _panel(workers: int, cells: Sequence[Summary], roof: Limit, looks: Looks) -> Panel:
    title = f"{workers} {'worker' if workers == 1 else 'workers'}, peak {three(roof.gflops)} GFLOP/s"
    data: list[Datum] = []
    rows: list[tuple[str, ...]] = []
    labels = sorted({summary.label for summary in cells})
    shorts = dict(zip(labels, brief(distinct(labels), LEGEND), strict=True))
    for summary in cells:
        rate, share = (summary.middle(kind) or 0.0 for kind in (lambda row: row.gflops, lambda row: row.peak_share))
        at = intensity(summary.cell)
        data.append(
            {
                "series": shorts[summary.label],
                "name": clean(summary.label),
                "batch": summary.cell.batch,
                "intensity": at,
                "rate": rate,
                "share": f"{100 * share:.1f} %",
            }
        )
        rows.append((clean(summary.label), str(summary.cell.batch), three(at), three(rate), f"{100 * share:.1f}"))
    best = max(data, key=lambda datum: float(datum["rate"] or 0))
    described = f"Roofline, {title}: {len(data)} cells; the fastest is {best['name']} with {best['share']} of the peak."
    return Panel(
        title,
        described,
        _spec(data, roof, {short: looks[label] for label, short in shorts.items()}),
        COLUMNS,
        tuple(rows),
        kind="lines",
    )


def _spec(data: Sequence[Datum], roof: Limit, drawn: Looks) -> Spec:
    places = [float(datum["intensity"] or 1) for datum in data]
    left, right = min(places) / 4, max([*places, *(roof.gflops / speed for _, speed in roof.bandwidths)]) * 2
    lines, names = _roofs(roof, left, right)
    lowest = min(float(datum["rate"] or 1) for datum in data) / 1.5
    domain = {"type": "log", "nice": False, "domainMin": left, "domainMax": right, "clamp": False}
    x = quantity("intensity", "operations a byte, log scale", scale=domain, axis={"tickCount": 5})
    height: Spec = {"type": "log", "nice": False, "domainMin": lowest, "domainMax": roof.gflops * 1.6}
    y = quantity("rate", "GFLOP/s, log scale", scale=height, axis={"tickCount": 5})
    told = tooltip(name="backend", batch="batch", rate="GFLOP/s", share="of peak")
    grey = {"type": "line", "color": "#777", "clip": True, "strokeWidth": 1.2}
    roofs = {"x": x, "y": y, "detail": category("roof")}
    words = {"type": "text", "align": "left", "dx": 4, "dy": 11, "fontSize": 11, "clip": True}
    drawn_points = {"x": x, "y": y, **points(drawn), "tooltip": told}
    layers: list[Spec] = [
        {"data": {"values": lines}, "mark": grey, "encoding": roofs},
        {"data": {"values": names}, "mark": words, "encoding": {"x": x, "y": y, "text": category("roof")}},
        {"mark": {"type": "point", "filled": True, "size": 75, "opacity": 0.9}, "encoding": drawn_points},
    ]
    return chart(data, layers, height=HEIGHT)


def _roofs(roof: Limit, left: float, right: float) -> tuple[list[Datum], list[Datum]]:
    """Return the points of each slope and of the flat roof, and the positions of their names."""
    lines: list[Datum] = [{"roof": "limit", "intensity": at, "rate": roof.gflops} for at in (left, right)]
    names: list[Datum] = [{"roof": "limit", "intensity": left, "rate": roof.gflops * 1.5}]
    for level, speed in roof.bandwidths:
        name, knee = f"{level} {three(speed)} GB/s", roof.gflops / speed
        if knee > left:  # a slope whose knee is further left lies outside the chart
            lines += [{"roof": name, "intensity": at, "rate": at * speed} for at in (left, knee)]
            at = max(left, knee / 8)
            names.append({"roof": name, "intensity": at, "rate": at * speed})
    return lines, names
