"""Every cell as a line of one table, whatever its state, with what to sort it by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.report.figures import NO_FIGURE, speedup, spread, three
from harness.report.problem import Specs, heading
from harness.report.remarks import causes
from harness.report.scale import time_unit
from harness.report.summary import Section, Summary, sections
from harness.runner.row import FINE, Row

MIB = 2**20
NUMBERS = ("workers", "batch", "time per epoch", "±", "GFLOP/s", "speedup", "% of peak", "accuracy %", "MiB")
COLUMNS = ("backend", *NUMBERS, "state", "network and data", "machine", "why")
WHERE_DIFFERENT = ("network and data", "machine", "why")
"""Columns that are left out where every line would say the same."""


@dataclass(frozen=True)
class Field:
    """What a field of the table shows, and the number that it is sorted by; ``None``: by its words."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class CellLine:
    """One cell."""

    state: str
    """The worst of its rounds, for the filter."""
    fields: tuple[Field, ...]
    fine: bool


@dataclass(frozen=True)
class CellTable:
    """Every cell, with the columns that tell something."""

    columns: tuple[str, ...]
    lines: tuple[CellLine, ...]

    def named(self, line: CellLine) -> list[tuple[str, Field]]:
        """Return each field of a line with the name of its column."""
        return list(zip(self.columns, line.fields, strict=True))


def cell_table(rows: Iterable[Row], specs: Specs) -> CellTable:
    """Return the table, in the order of the sections."""
    found = sections(rows, specs)
    lines = [_line(section, one, _problem(section, found)) for section in found for one in section.summaries]
    kept = [
        place
        for place, name in enumerate(COLUMNS)
        if name not in WHERE_DIFFERENT or len({line.fields[place].text for line in lines}) > 1
    ]
    cut = [replace(line, fields=tuple(line.fields[place] for place in kept)) for line in lines]
    return CellTable(tuple(COLUMNS[place] for place in kept), tuple(cut))


def _problem(section: Section, found: Iterable[Section]) -> str:
    """Name the problem among those of its machine, which has a column of its own."""
    machine = section.problem.machine
    return heading(section.problem, [one.problem for one in found if one.problem.machine == machine])


def _line(section: Section, one: Summary, problem: str) -> CellLine:
    state = one.state.split()[0]
    why = "; ".join(f"{cause.said}{cause.where}" for cause in causes(one))
    words = (one.state, problem, section.problem.machine, why)
    return CellLine(state, (Field(one.label), *_figures(one), *map(Field, words)), state in FINE)


def _figures(one: Summary) -> tuple[Field, ...]:
    share, accuracy = (one.middle(figure) for figure in (lambda row: row.peak_share, lambda row: row.accuracy))
    rate, size = one.middle(lambda row: row.gflops), one.peak_bytes
    return (
        Field(str(one.cell.workers), one.cell.workers),
        Field(str(one.cell.batch), one.cell.batch),
        _time(one),
        _reach(one),
        Field(three(rate), rate),
        Field(speedup(one.speedup), one.speedup.value if one.speedup else None),
        Field(three(None if share is None else 100 * share), share),
        Field(NO_FIGURE if accuracy is None else f"{100 * accuracy:.2f}", accuracy),
        Field(NO_FIGURE if size is None else f"{size / MIB:.0f}", size),
    )


def _time(one: Summary) -> Field:
    if one.epoch is None:
        return Field(NO_FIGURE)
    size, unit = time_unit([one])
    return Field(f"{three(one.epoch.value / size)} {unit}", one.epoch.value)


def _reach(one: Summary) -> Field:
    found = one.epoch
    known = found is not None and found.high is not None
    return Field(spread(found), found.high / found.value if known and found and found.high else None)
