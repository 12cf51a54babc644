"""Speedup over the number of workers: measured points, the ideal line, and what two scaling laws say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.report.charts.lines import HEIGHT, Drawn, color, dashed, lines, points
from harness.report.charts.palette import Looks
from harness.report.charts.panel import LEGEND, Datum, Figure, Panel, Spec, brief, chart, distinct, quantity, tooltip
from harness.report.figures import marked, three, time_unit
from harness.report.fits import Fit, fit
from harness.report.statistics import ratio
from harness.report.summary import Section, Summary

TITLE = "What do more workers bring?"
NOTE = (
    "Speedup over the same backend with its fewest workers; dashed: ideal. With at least three worker counts for which "
    "the machine has cores, the thin line is Amdahl's law, and the table shows it and the Universal Scalability Law."
)
COLUMNS = ("backend", "workers", "time per epoch", "speedup", "95 % interval", "Amdahl's law", "Scalability Law")
POINTS = 24
"""How many pieces the line of a law is drawn with."""
WORKERS, SPEEDUP = "workers, log scale", "speedup, log scale"
SCALE = {"type": "log", "base": 2, "nice": False, "padding": 12}


@dataclass(frozen=True)
class Scaling:
    """One backend with its options at one batch, by number of workers."""

    label: str
    short: str
    """The label as the legend shows it."""
    by_workers: Mapping[int, Summary]

    @property
    def counts(self) -> list[int]:
        """The worker counts that have times, the fewest first."""
        return sorted(self.by_workers)

    @property
    def fewest(self) -> Summary:
        """The cell that the others are compared with."""
        return self.by_workers[self.counts[0]]

    def fit(self) -> Fit | None:
        """Return both laws over the counts that have a core for each worker; beyond that, neither law applies."""
        return fit({count: cell.times for count, cell in self.by_workers.items() if count <= _cores(cell)})

    @property
    def lost(self) -> str:
        """A warning if any of the cells lost rounds, to stand behind whatever rests on them."""
        counts = [str(count) for count in self.counts if self.by_workers[count].lost]
        return f"; rounds were lost with {', '.join(counts)} workers" if counts else ""


def figure(section: Section, looks: Looks) -> list[Figure]:
    """Return the figure if any backend ran with more than one number of workers."""
    groups: dict[int, dict[str, dict[int, Summary]]] = {}
    for summary in section.summaries:
        if summary.epoch is not None:
            by_workers = groups.setdefault(summary.cell.batch, {}).setdefault(summary.label, {})
            by_workers.setdefault(summary.cell.workers, summary)  # the fastest comes first
    panels = []
    for batch, labels in sorted(groups.items()):
        several = {label: by_workers for label, by_workers in labels.items() if len(by_workers) > 1}
        names = distinct(list(several))
        series = list(map(Scaling, names, brief(names, LEGEND), several.values()))
        panels += [_panel(batch, series, looks)] if series else []
    return [Figure(TITLE, NOTE, tuple(panels))] if panels else []


def _cores(cell: Summary) -> float:
    """Return the cores that a cell could use; infinity if that is not known."""
    return float("inf") if cell.usable_cores is None else cell.usable_cores


def _panel(batch: int, every: Sequence[Scaling], looks: Looks) -> Panel:
    fits = {series.label: series.fit() for series in every}
    counts = sorted({count for series in every for count in series.counts})
    data = [datum for series in every for datum in _data(series, fits[series.label])]
    rows = tuple(row for series in every for row in _rows(series, fits[series.label]))
    told = [f"{series.label}: {_amdahl(law)}{series.lost}" for series in every if (law := fits[series.label])]
    described = f"Speedup over workers at batch {batch} of {len(every)} series. {'; '.join(told)}"
    return Panel(
        f"batch {batch}",
        described,
        _spec(data, counts, {series.short: looks[series.fewest.label] for series in every}),
        COLUMNS,
        rows,
        kind="lines",
    )


def _data(series: Scaling, law: Fit | None) -> list[Datum]:
    base, fewest = series.counts[0], series.fewest
    data: list[Datum] = []
    for count in series.counts:
        speedup = ratio(fewest.times, series.by_workers[count].times)
        if speedup is not None:
            data.append(
                {
                    "series": series.short,
                    "name": series.label,
                    "workers": count,
                    "speedup": speedup.value,
                    "low": speedup.low or speedup.value,
                    "high": speedup.high or speedup.value,
                }
            )
    if law is not None:
        span = range(POINTS + 1)
        counts = [base * (law.counts[-1] / base) ** (step / POINTS) for step in span]
        data += [{"series": series.short, "at": n, "law": law.amdahl(base) / law.amdahl(n)} for n in counts]
    return data


def _rows(series: Scaling, law: Fit | None) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    size, unit = time_unit(series.by_workers.values())
    for count in series.counts:
        cell = series.by_workers[count]
        speedup = ratio(series.fewest.times, cell.times)
        between = "-" if speedup is None or speedup.low is None else f"{three(speedup.low)} to {three(speedup.high)}"
        shown = marked(three(speedup.value), lost=cell.lost or series.fewest.lost) if speedup else "-"
        time = f"{three(cell.epoch.value / size)} {unit}" if cell.epoch else "-"
        laws = ("", "")
        if law is not None and count == series.counts[0]:
            laws = (_amdahl(law) + series.lost, _scalability(law) + series.lost)
        rows.append((series.label, str(count), time, shown, between, *laws))
    return rows


def _amdahl(law: Fit) -> str:
    between = "no interval" if law.low is None else f"{_share(law.low)} to {_share(law.high)}"
    return f"parallel fraction {_share(law.fraction)} ({between}), off by at most {100 * law.error:.0f} %"


def _scalability(law: Fit) -> str:
    exact = "; three points determine three values, so it predicts nothing" if len(law.counts) == 3 else ""
    best = f", best at {law.best_count:.0f} workers" if law.best_count else ""
    return f"contention {law.sigma:.3f}, coherence {law.kappa:.4f}{best}{exact}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _spec(data: Sequence[Datum], counts: Sequence[int], drawn: Drawn) -> Spec:
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
