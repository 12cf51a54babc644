"""Two levels of parallelism at once: a heat map of GFLOP/s over workers and ``blas_threads``."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import clean
from harness.report.charts.palette import Looks
from harness.report.charts.panel import Datum, Figure, Panel, Spec, category, chart, quantity, tooltip
from harness.report.figures import three
from harness.report.summary import Section, Summary

OPTION = "blas_threads"
TITLE = "How to share the cores: workers or BLAS threads?"
NOTE = "GFLOP/s by number of workers and of BLAS threads in each; the best field has a star."
COLUMNS = ("workers", "BLAS threads", "GFLOP/s")


def figure(section: Section, _looks: Looks) -> list[Figure]:
    """Return the figure: a panel for each backend and batch at which the option takes several values."""
    groups: dict[tuple[str, int], list[Summary]] = {}
    for summary in section.summaries:
        if OPTION in summary.cell.options and summary.middle(lambda row: row.gflops):
            groups.setdefault((_name(summary), summary.cell.batch), []).append(summary)
    panels = [
        _panel(name, batch, cells)
        for (name, batch), cells in sorted(groups.items())
        if len({summary.cell.options[OPTION] for summary in cells}) > 1
    ]
    return [Figure(TITLE, NOTE, tuple(panels))] if panels else []


def _name(summary: Summary) -> str:
    """Return the label of the cell without the option that the map shows."""
    return " ".join(word for word in clean(summary.label).split() if not word.startswith(f"{OPTION}="))


def _panel(name: str, batch: int, cells: Sequence[Summary]) -> Panel:
    rates = {
        (summary.cell.workers, summary.cell.options[OPTION]): summary.middle(lambda row: row.gflops) or 0.0
        for summary in cells
    }
    best = max(rates, key=lambda place: rates[place])
    data: list[Datum] = [
        {"workers": workers, "threads": threads, "rate": rate, "text": three(rate) + ("★" if place == best else "")}
        for place, rate in sorted(rates.items(), key=str)
        for workers, threads in [place]
    ]
    title = f"{name}, batch {batch}"
    described = f"GFLOP/s of {title}: best with {best[0]} workers and {best[1]} BLAS threads, {three(rates[best])}."
    rows = tuple(
        (str(workers), str(threads), three(rate)) for (workers, threads), rate in sorted(rates.items(), key=str)
    )
    return Panel(title, described, _spec(data), COLUMNS, rows, kind="heat")


def _spec(data: Sequence[Datum]) -> Spec:
    axis = {"labelAngle": 0}
    x = {"field": "threads", "type": "ordinal", "title": "BLAS threads in each worker", "axis": axis}
    y = {"field": "workers", "type": "ordinal", "title": "workers"}
    shade = quantity("rate", None, scale={"range": ["#fff7e0", "#E69F00"], "zero": True}, legend=None)
    told = tooltip(workers="workers", threads="BLAS threads", rate="GFLOP/s")
    layers: list[Spec] = [
        {"mark": {"type": "rect", "stroke": "#fff"}, "encoding": {"x": x, "y": y, "color": shade, "tooltip": told}},
        {"mark": {"type": "text"}, "encoding": {"x": x, "y": y, "text": category("text")}},
    ]
    return chart(data, layers, height=40 * len({datum["workers"] for datum in data}))
