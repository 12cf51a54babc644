"""Every cell as a line of one table, whatever its state, with the numbers to sort it by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.report.figures import NO_FIGURE, in_time_unit, marked, speedup, spread, three, unranked
from harness.report.problem import Specs, heading
from harness.report.remarks import causes
from harness.report.summary import Section, Summary, sections
from harness.runner.row import FINE, Row
from harness.store import Stored

MIB = 2**20
NUMBERS = ("workers", "batch", "time per epoch", "±", "GFLOP/s", "speedup", "% of peak", "accuracy %", "MiB")
COLUMNS = ("backend", *NUMBERS, "state", "network and data", "machine", "why")
WHERE_DIFFERENT = ("network and data", "machine", "why")
"""Columns that are left out if every line would say the same."""


@dataclass(frozen=True)
class Field:
    """What a field of the table shows, and the number that it is sorted by; ``None`` means by its words."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class CellLine:
    """The line of one cell."""

    state: str
    """The most common state that is not ok, or ``ok``, for the filter."""
    fields: tuple[Field, ...]
    fine: bool


@dataclass(frozen=True)
class CellTable:
    """Every cell, with the columns that are not the same in every line."""

    columns: tuple[str, ...]
    lines: tuple[CellLine, ...]

    def named(self, line: CellLine) -> list[tuple[str, Field]]:
        """Return each field of a line with the name of its column."""
        return list(zip(self.columns, line.fields, strict=True))


def cell_table(rows: Iterable[Row | Stored], specs: Specs) -> CellTable:
    """Return the table, in the order of the sections."""
    every = sections(rows, specs)
    lines = [_line(section, cell, _problem(section, every)) for section in every for cell in section.summaries]
    kept = [
        place
        for place, name in enumerate(COLUMNS)
        if name not in WHERE_DIFFERENT or len({line.fields[place].text for line in lines}) > 1
    ]
    cut = [replace(line, fields=tuple(line.fields[place] for place in kept)) for line in lines]
    return CellTable(tuple(COLUMNS[place] for place in kept), tuple(cut))


def _problem(section: Section, every: Iterable[Section]) -> str:
    """Name the problem among those of its machine; the machine itself has its own column."""
    machine = section.problem.machine
    return heading(section.problem, [other.problem for other in every if other.problem.machine == machine])


def _line(section: Section, summary: Summary, problem: str) -> CellLine:
    state = summary.state.split()[0]
    why = "; ".join(f"{cause.said}{cause.where}" for cause in causes(summary))
    words = (summary.state, problem, section.problem.machine, why)
    return CellLine(state, (Field(summary.label), *_figures(summary), *map(Field, words)), state in FINE)


def _figures(summary: Summary) -> tuple[Field, ...]:
    share, accuracy = (summary.middle(figure) for figure in (lambda row: row.peak_share, lambda row: row.accuracy))
    rate, size = summary.middle(lambda row: row.gflops), summary.peak_bytes
    return (
        Field(str(summary.cell.workers), summary.cell.workers),
        Field(str(summary.cell.batch), summary.cell.batch),
        _time(summary),
        _reach(summary),
        Field(three(rate), rate),
        _speedup(summary),
        Field(three(None if share is None else 100 * share), share),
        Field(NO_FIGURE if accuracy is None else f"{100 * accuracy:.2f}", accuracy),
        Field(NO_FIGURE if size is None else f"{size / MIB:.0f}", size),
    )


def _speedup(summary: Summary) -> Field:
    shown = marked(speedup(summary.speedup), lost=summary.lost or summary.counterpart_lost)
    return Field(shown, summary.speedup.value if summary.speedup else None)


def _time(summary: Summary) -> Field:
    if summary.epoch:
        return Field(in_time_unit(summary.epoch.value), summary.epoch.value)
    return Field(unranked(in_time_unit(summary.unranked.value)) if summary.unranked else NO_FIGURE)


def _reach(summary: Summary) -> Field:
    epoch = summary.epoch
    return Field(spread(epoch), epoch.high / epoch.value if epoch and epoch.high is not None else None)
