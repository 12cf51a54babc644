"""Rows become summaries and sections: a summary has all rounds of a cell, a section all cells of a problem."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from harness.plan.cell import Cell
from harness.report.moments import Moment, comparable, times_by_moment, valid_time
from harness.report.problem import Problem, Specs
from harness.report.statistics import Estimate, estimate, median, ratio
from harness.runner.row import FINE, Row
from harness.store import Stored


@dataclass(frozen=True)
class Summary:
    """One cell with all its rounds. A figure is ``None`` if no round gives it, or if any round was wrong."""

    cell: Cell
    stored: tuple[Stored, ...]
    """Its rows by round, each with the run that measured it."""
    label: str
    """The backend with every option that is not at its default."""
    speedup: Estimate | None = None
    """The speedup over the serial counterpart at the same problem and batch, from rounds that one run has of both."""
    counterpart_lost: bool = False
    """Whether the counterpart lost rounds, so that the speedup rests on the rounds that survived."""

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows by round."""
        return tuple(stored.row for stored in self.stored)

    @cached_property
    def good(self) -> tuple[Row, ...]:
        """The rounds that give figures: those that are ok, or none at all if any round was wrong."""
        if any(row.state == "wrong" for row in self.rows):
            return ()
        return tuple(row for row in self.rows if row.state == "ok")

    @cached_property
    def times(self) -> dict[Moment, float]:
        """Seconds per epoch, the median of each round, by run and round."""
        return times_by_moment(self.stored)

    @cached_property
    def epoch(self) -> Estimate | None:
        """Time per epoch (TPE) in seconds, over the rounds."""
        return estimate([self.times[moment] for moment in sorted(self.times)]) if self.times else None

    @cached_property
    def unranked(self) -> Estimate | None:
        """Time per epoch in rounds that could not be compared with the reference: it is shown, and used nowhere."""
        times = [time for row in self.good if not comparable(row) and (time := valid_time(row)) is not None]
        return estimate(times) if times and not self.times else None

    @property
    def state(self) -> str:
        """The state of all rounds if it is one; otherwise the most common state that is not ok, with its count."""
        counts = Counter(row.state for row in self.rows)
        if len(counts) == 1:
            return self.rows[0].state
        states = [state for state, _ in counts.most_common() if state != "ok"]
        return f"{states[0]} {counts[states[0]]}/{len(self.rows)}"

    @property
    def lost(self) -> str:
        """Which rounds were lost, such as ``lost 3 of 20 rounds (crashed)``; empty if none was."""
        states = [row.state for row in self.rows if row.state not in FINE]
        if not states:
            return ""
        return f"lost {len(states)} of {len(self.rows)} rounds ({', '.join(sorted(set(states)))})"

    @property
    def usable_cores(self) -> int | None:
        """The cores that the cell could use, by its receipt; ``None`` if that is not known or other hosts took part."""
        hardware = self.good[0].receipt.get("hardware") if self.good else None
        cores = hardware.get("usable_cores") if isinstance(hardware, Mapping) else None
        return cores if isinstance(cores, int) and cores > 0 and not self.cell.hosts else None

    def middle(self, figure: Callable[[Row], float | None]) -> float | None:
        """Return the median of a figure over the good rounds that have it."""
        values = [value for value in map(figure, self.good) if value is not None and math.isfinite(value)]
        return median(values) if values else None

    @property
    def peak_bytes(self) -> int | None:
        """The largest memory of any round, also of rounds that were ended because of it."""
        return max((row.peak_bytes for row in self.rows if row.peak_bytes is not None), default=None)


@dataclass(frozen=True)
class Section:
    """All cells of one problem, ordered by batch; within a batch, the fastest first."""

    problem: Problem
    summaries: tuple[Summary, ...]


def sections(rows: Iterable[Row | Stored], specs: Specs) -> list[Section]:
    """Group rows by problem, in the order in which the problems first appear.

    Rounds are paired by run and round. Rows that come without their run count as rows of one run.
    """
    problems: dict[Problem, dict[str, list[Stored]]] = {}
    for stored in map(_stored, rows):
        row = stored.row
        problems.setdefault(Problem.of(row, specs), {}).setdefault(row.cell.key, []).append(stored)
    return [Section(problem, _summarised(cells, specs)) for problem, cells in problems.items()]


def _stored(row: Row | Stored) -> Stored:
    return row if isinstance(row, Stored) else Stored(row=row, run="", code="", plugin="", label="", attempt=1)


def _summarised(cells: Mapping[str, list[Stored]], specs: Specs) -> tuple[Summary, ...]:
    plain = [_summary(rows, specs) for rows in cells.values()]
    by_setting = {_setting(summary.cell): summary for summary in plain if summary.times and not summary.cell.hosts}

    def compared(summary: Summary) -> Summary:
        setting = _counterpart(summary.cell, specs)
        baseline = by_setting.get(setting) if setting else None
        if baseline is None:
            return summary
        return replace(summary, speedup=ratio(baseline.times, summary.times), counterpart_lost=bool(baseline.lost))

    return tuple(sorted(map(compared, plain), key=_rank))


def _summary(rows: list[Stored], specs: Specs) -> Summary:
    ordered = sorted(rows, key=lambda stored: stored.row.round)
    cell = ordered[0].row.cell
    return Summary(cell, tuple(ordered), label(cell, specs))


def _rank(summary: Summary) -> tuple[int, float, str, int]:
    slowness = summary.epoch.value if summary.epoch else math.inf
    return summary.cell.batch, slowness, summary.label, summary.cell.workers


def label(cell: Cell, specs: Specs) -> str:
    """Return the backend with every option that is not at its default, and with its interpreter and hosts if any."""
    known = specs.get(cell.backend)
    defaults = known.defaults() if known else {}
    words = [f"{name}={value}" for name, value in cell.options.items() if defaults.get(name) != value]
    words += [f"python={cell.python}"] if cell.python else []
    words += [f"hosts={len(cell.hosts)}"] if cell.hosts else []
    return " ".join([cell.backend, *words])


Setting = tuple[str, str | None, int, int, tuple[tuple[str, object], ...]]


def _setting(cell: Cell) -> Setting:
    return cell.backend, cell.python, cell.workers, cell.batch, tuple(sorted(cell.options.items()))


def _counterpart(cell: Cell, specs: Specs) -> Setting | None:
    """Return the setting of the serial counterpart: one worker, with default options unless the spec names others."""
    name, options = (specs[cell.backend].counterpart if cell.backend in specs else None) or (cell.backend, {})
    if name not in specs:
        return None
    return name, cell.python, 1, cell.batch, tuple(sorted({**specs[name].defaults(), **options}.items()))
