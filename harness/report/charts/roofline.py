"""Share of the machine's peak, as a roofline: arithmetic intensity against GFLOP/s, under the peak and the bandwidths.

The intensity is that of a step that keeps nothing in a cache: every weight is read forward, read backward (but in the
first layer), and read and written by the update; every activation is written once and read twice, every delta written
once and read twice, and the input is read twice. It hangs on network and batch alone, so all backends at one batch
stand on one vertical line. A step that keeps its weights in a cache may stand above memory's roof.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

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
from harness.report.limits import Limit, limit
from harness.report.summary import Section, Summary
from harness.text import clean

TITLE = "How much of this machine is used?"
NOTE = (
    "GFLOP/s against operations for each byte that a step moves if nothing stays in a cache. The flat roof is the GEMM "
    "peak at the same threads and dtype, the slopes are the bandwidths of memory and of each cache."
)
COLUMNS = ("backend", "batch", "operations a byte", "GFLOP/s", "% of peak")
BYTES = {"float32": 4, "float64": 8}


def figure(section: Section, looks: Looks) -> list[Figure]:
    """Return the figure: a panel for each number of workers whose receipts tell the machine's limit."""
    groups: dict[int, list[Summary]] = {}
    for one in section.summaries:
        if one.middle(lambda row: row.gflops) and one.middle(lambda row: row.peak_share) and _on_processor(one):
            groups.setdefault(one.cell.workers, []).append(one)
    known = [(workers, found, limit(found)) for workers, found in sorted(groups.items())]
    panels = [_panel(workers, found, roof, looks) for workers, found, roof in known if roof is not None]
    return [Figure(TITLE, NOTE, tuple(panels))] if panels else []


def intensity(cell: Cell) -> float:
    """Return the operations for each byte that a step moves if nothing stays in a cache."""
    sizes, batch = cell.network.sizes, cell.batch
    weights = [inputs * outputs for inputs, outputs in itertools.pairwise(sizes)]
    moved = 4 * sum(weights) - weights[0] + batch * (2 * sizes[0] + 6 * sum(sizes[1:]))
    return batch * cell.network.flops_per_example / (moved * BYTES.get(cell.network.dtype, 4))


def _on_processor(one: Summary) -> bool:
    return one.cell.options.get("device") != "cuda" and not one.cell.hosts


def _panel(workers: int, found: Sequence[Summary], roof: Limit, looks: Looks) -> Panel:
    title = f"{workers} {'worker' if workers == 1 else 'workers'}, peak {three(roof.gflops)} GFLOP/s"
    data: list[Datum] = []
    rows: list[tuple[str, ...]] = []
    labels = sorted({one.label for one in found})
    shorts = dict(zip(labels, brief(distinct(labels), LEGEND), strict=True))
    for one in found:
        rate, share = one.middle(lambda row: row.gflops) or 0.0, one.middle(lambda row: row.peak_share) or 0.0
        at = intensity(one.cell)
        data.append(
            {
                "series": shorts[one.label],
                "name": clean(one.label),
                "batch": one.cell.batch,
                "intensity": at,
                "rate": rate,
                "share": f"{100 * share:.1f} %",
            }
        )
        rows.append((clean(one.label), str(one.cell.batch), three(at), three(rate), f"{100 * share:.1f}"))
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
    """Return the points of each slope and of the flat roof, and where their names stand."""
    lines: list[Datum] = [{"roof": "GEMM peak", "intensity": at, "rate": roof.gflops} for at in (left, right)]
    names: list[Datum] = [{"roof": "GEMM peak", "intensity": left, "rate": roof.gflops * 1.5}]
    for level, speed in roof.bandwidths:
        name, knee = f"{level} {three(speed)} GB/s", roof.gflops / speed
        if knee > left:  # a slope further left lies outside
            lines += [{"roof": name, "intensity": at, "rate": at * speed} for at in (left, knee)]
            at = max(left, knee / 8)
            names.append({"roof": name, "intensity": at, "rate": at * speed})
    return lines, names
