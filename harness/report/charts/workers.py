"""Time over workers: the speedup over one's own fewest workers, the ideal line, and what two laws say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.report.charts.palette import Looks
from harness.report.charts.panel import LEGEND, Datum, Figure, Panel, brief, distinct
from harness.report.charts.scaling import spec
from harness.report.figures import three
from harness.report.fits import Fit, fit
from harness.report.scale import time_unit
from harness.report.statistics import ratio
from harness.report.summary import Section, Summary

TITLE = "What do more workers bring?"
NOTE = (
    "Speedup over the same backend with its fewest workers; dashed: ideal. Where there are three worker counts that "
    "the machine has cores for, the thin line is Amdahl's law and the table gives it and the Universal Scalability Law."
)
COLUMNS = ("backend", "workers", "time per epoch", "speedup", "95 % interval", "Amdahl's law", "Scalability Law")
POINTS = 24


@dataclass(frozen=True)
class Scaling:
    """One backend with its options at one batch, by number of workers."""

    label: str
    short: str
    """The label as the legend shows it."""
    by_workers: Mapping[int, Summary]

    @property
    def counts(self) -> list[int]:
        """Worker counts that have times, the fewest first."""
        return sorted(self.by_workers)

    @property
    def fewest(self) -> Summary:
        """The cell that the others are compared with."""
        return self.by_workers[self.counts[0]]

    def fit(self) -> Fit | None:
        """Return both laws over the counts that have a core for each worker: beyond it, neither says anything."""
        return fit({count: one.times for count, one in self.by_workers.items() if count <= _cores(one)})


def figure(section: Section, looks: Looks) -> list[Figure]:
    """Return the figure, where any backend ran with more than one number of workers."""
    groups: dict[int, dict[str, dict[int, Summary]]] = {}
    for one in section.summaries:
        if one.epoch is not None:
            by_workers = groups.setdefault(one.cell.batch, {}).setdefault(one.label, {})
            by_workers.setdefault(one.cell.workers, one)  # the fastest comes first
    panels = []
    for batch, labels in sorted(groups.items()):
        several = {label: by_workers for label, by_workers in labels.items() if len(by_workers) > 1}
        names = distinct(list(several))
        found = list(map(Scaling, names, brief(names, LEGEND), several.values()))
        panels += [_panel(batch, found, looks)] if found else []
    return [Figure(TITLE, NOTE, tuple(panels))] if panels else []


def _cores(one: Summary) -> float:
    """Return the cores that a cell could use, as its receipt tells; without one, as many as it likes."""
    hardware = one.good[0].receipt.get("hardware")
    told = hardware.get("usable_cores") if isinstance(hardware, Mapping) else None
    return told if isinstance(told, int) and not one.cell.hosts else float("inf")


def _panel(batch: int, found: Sequence[Scaling], looks: Looks) -> Panel:
    fits = {one.label: one.fit() for one in found}
    counts = sorted({count for one in found for count in one.counts})
    data = [datum for one in found for datum in _data(one, fits[one.label])]
    rows = tuple(row for one in found for row in _rows(one, fits[one.label]))
    told = [f"{one.label}: {_amdahl(law)}" for one in found if (law := fits[one.label])]
    described = f"Speedup over workers at batch {batch} of {len(found)} series. {'; '.join(told)}"
    return Panel(
        f"batch {batch}",
        described,
        spec(data, counts, {one.short: looks[one.fewest.label] for one in found}),
        COLUMNS,
        rows,
        kind="lines",
    )


def _data(one: Scaling, law: Fit | None) -> list[Datum]:
    base, fewest = one.counts[0], one.fewest
    data: list[Datum] = []
    for count in one.counts:
        found = ratio(fewest.times, one.by_workers[count].times)
        if found is not None:
            data.append(
                {
                    "series": one.short,
                    "name": one.label,
                    "workers": count,
                    "speedup": found.value,
                    "low": found.low or found.value,
                    "high": found.high or found.value,
                }
            )
    if law is not None:
        span = range(POINTS + 1)
        counts = [base * (law.counts[-1] / base) ** (step / POINTS) for step in span]
        data += [{"series": one.short, "at": n, "law": law.amdahl(base) / law.amdahl(n)} for n in counts]
    return data


def _rows(one: Scaling, law: Fit | None) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    size, unit = time_unit(one.by_workers.values())
    for count in one.counts:
        cell = one.by_workers[count]
        found = ratio(one.fewest.times, cell.times)
        between = "-" if found is None or found.low is None else f"{three(found.low)} to {three(found.high)}"
        time = f"{three(cell.epoch.value / size)} {unit}" if cell.epoch else "-"
        laws = (_amdahl(law), _scalability(law)) if law and count == one.counts[0] else ("", "")
        rows.append((one.label, str(count), time, three(found.value) if found else "-", between, *laws))
    return rows


def _amdahl(law: Fit) -> str:
    between = "no interval" if law.low is None else f"{_share(law.low)} to {_share(law.high)}"
    return f"parallel fraction {_share(law.fraction)} ({between}), off by at most {100 * law.error:.0f} %"


def _scalability(law: Fit) -> str:
    exact = "; as many figures as points, so it says nothing beyond them" if len(law.counts) == 3 else ""
    best = f", best at {law.best_count:.0f} workers" if law.best_count else ""
    return f"contention {law.sigma:.3f}, coherence {law.kappa:.4f}{best}{exact}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
