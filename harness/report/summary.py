"""Rows to ``Section`` and ``Summary``: the rounds of each cell taken together, cells of one problem side by side."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from harness.plan.cell import Cell
from harness.report.problem import Problem, Specs
from harness.report.statistics import Estimate, estimate, median, ratio
from harness.runner.row import Row


@dataclass(frozen=True)
class Summary:
    """One cell with all its rounds. A figure is ``None`` where no round gives it, and where any round was wrong."""

    cell: Cell
    rows: tuple[Row, ...]
    """By round."""
    label: str
    """The backend with every option that is not at its default."""
    speedup: Estimate | None = None
    """Over the counterpart on the same problem and batch, from the rounds that both have."""

    @cached_property
    def good(self) -> tuple[Row, ...]:
        """The rounds that give figures: those that are ok, and none at all where one was wrong."""
        if any(row.state == "wrong" for row in self.rows):
            return ()
        return tuple(row for row in self.rows if row.state == "ok")

    @cached_property
    def times(self) -> dict[int, float]:
        """Seconds per epoch, the median of each round, by round."""
        medians = {row.round: median(row.epoch_seconds) for row in self.good if row.epoch_seconds}
        return {turn: time for turn, time in medians.items() if math.isfinite(time) and time > 0}

    @cached_property
    def epoch(self) -> Estimate | None:
        """Time per epoch (TPE) in seconds, over the rounds."""
        return estimate([self.times[turn] for turn in sorted(self.times)]) if self.times else None

    @property
    def state(self) -> str:
        """The state of all rounds, or of those that fell short with their number."""
        counts = Counter(row.state for row in self.rows)
        if len(counts) == 1:
            return self.rows[0].state
        states = [state for state, _ in counts.most_common() if state != "ok"]
        return f"{states[0]} {counts[states[0]]}/{len(self.rows)}"

    def middle(self, figure: Callable[[Row], float | None]) -> float | None:
        """Return the median of a figure over the good rounds that have it."""
        values = [value for value in map(figure, self.good) if value is not None and math.isfinite(value)]
        return median(values) if values else None

    @property
    def peak_bytes(self) -> int | None:
        """The most memory of any round, those that were ended for it included."""
        return max((row.peak_bytes for row in self.rows if row.peak_bytes is not None), default=None)


@dataclass(frozen=True)
class Section:
    """All cells of one problem, by batch and then the fastest first."""

    problem: Problem
    summaries: tuple[Summary, ...]


def sections(rows: Iterable[Row], specs: Specs) -> list[Section]:
    """Group rows by problem, in the order in which problems first appear."""
    problems: dict[Problem, dict[str, list[Row]]] = {}
    for row in rows:
        problems.setdefault(Problem.of(row, specs), {}).setdefault(row.cell.key, []).append(row)
    return [Section(problem, _summarised(cells, specs)) for problem, cells in problems.items()]


def _summarised(cells: Mapping[str, list[Row]], specs: Specs) -> tuple[Summary, ...]:
    plain = [_summary(rows, specs) for rows in cells.values()]
    times = {_setting(one.cell): one.times for one in plain if one.times and not one.cell.hosts}

    def compared(one: Summary) -> Summary:
        baseline = _counterpart(one.cell, specs)
        return replace(one, speedup=ratio(times.get(baseline, {}), one.times) if baseline else None)

    return tuple(sorted(map(compared, plain), key=_rank))


def _summary(rows: list[Row], specs: Specs) -> Summary:
    ordered = sorted(rows, key=lambda row: row.round)
    cell = ordered[0].cell
    return Summary(cell, tuple(ordered), label(cell, specs))


def _rank(summary: Summary) -> tuple[int, float, str, int]:
    slowness = summary.epoch.value if summary.epoch else math.inf
    return summary.cell.batch, slowness, summary.label, summary.cell.workers


def label(cell: Cell, specs: Specs) -> str:
    """Return a backend with every option that is not at its default, and whatever else sets its cells apart."""
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
    """Return the setting of the serial baseline: one worker, and every option at its default that the spec leaves."""
    name, options = (specs[cell.backend].counterpart if cell.backend in specs else None) or (cell.backend, {})
    if name not in specs:
        return None
    return name, cell.python, 1, cell.batch, tuple(sorted({**specs[name].defaults(), **options}.items()))
