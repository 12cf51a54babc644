"""The report for a terminal: the sentences, a bar for every cell that has a time, then the table. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from harness.report.content import content
from harness.report.figures import three
from harness.report.problem import Specs, heading
from harness.report.scale import time_unit
from harness.report.summary import Section, Summary, sections
from harness.report.table import table
from harness.runner.row import Row
from harness.text import clean

BOLD, BAR, PLAIN = "\x1b[1m", "\x1b[36m", "\x1b[0m"
NAME, FIGURE = 34, 10
"""Columns that a name and a figure may take."""
EIGHTHS = " ▏▎▍▌▋▊▉█"


def text(rows: Sequence[Row], specs: Specs, *, width: int, color: bool = False, blocks: bool = True) -> str:
    """Return the report as plain lines; ``blocks`` says that the terminal has the letters to draw bars with."""
    told = content(rows, specs, title="")
    bold, plain = (BOLD, PLAIN) if color else ("", "")
    said = [line for words in (told.context, *told.notices) for line in textwrap.wrap(clean(words), width)]
    lines = [*(f"{bold}{line}{plain}" for line in textwrap.wrap(clean(told.headline), width)), "", *said, ""]
    found = sections(rows, specs)
    for section in found:
        lines += _bars(section, found, width=width, color=color, blocks=blocks)
    return "\n".join([*lines, table(rows, specs, width=width, color=color)])


def _bars(section: Section, every: Sequence[Section], *, width: int, color: bool, blocks: bool) -> Iterator[str]:
    timed = [one for one in section.summaries if one.epoch is not None]
    if not timed:
        return
    bold, plain = (BOLD, PLAIN) if color else ("", "")
    size, unit = time_unit(timed)
    yield f"{bold}{heading(section.problem, [other.problem for other in every])}{plain}"
    room = min(NAME, max(cell_len(_name(one)) for one in timed))
    before = None
    for one in timed:
        if one.cell.batch != before:
            before = one.cell.batch
            group = [other for other in timed if other.cell.batch == before]
            longest = max(other.epoch.value for other in group if other.epoch)
            yield f"time per epoch in {unit}, batch {before}"
        value = one.epoch.value if one.epoch else 0.0
        bar = _bar(value / longest, width - room - FIGURE - 4, blocks=blocks)
        drawn = f"{BAR}{bar}{PLAIN}" if color else bar
        yield f"  {set_cell_size(_name(one), room)} {drawn} {three(value / size)}"
    yield ""


def _name(one: Summary) -> str:
    return f"{clean(one.label)} x{one.cell.workers}"


def _bar(share: float, room: int, *, blocks: bool) -> str:
    """Return a bar that is at least visible, in eighths of a letter where the terminal has them."""
    eighths = max(1, round(share * room * 8))
    if not blocks:
        return "#" * max(1, round(share * room))
    return EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
