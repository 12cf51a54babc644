"""The report for a terminal: the sentences, a bar for every cell that has a time, then the table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from harness.errors import clean
from harness.report.content import content
from harness.report.figures import marked, three, time_unit
from harness.report.problem import Specs, heading
from harness.report.summary import Section, Summary, sections
from harness.report.table import table
from harness.runner.row import Row
from harness.store import Stored

BOLD, BAR, PLAIN = "\x1b[1m", "\x1b[36m", "\x1b[0m"
NAME, FIGURE = 34, 10
"""The widths, in columns, of a name and of a number."""
EIGHTHS = " ▏▎▍▌▋▊▉█"


def text(rows: Sequence[Row | Stored], specs: Specs, *, width: int, color: bool = False, blocks: bool = True) -> str:
    """Return the report as plain lines; with ``blocks``, bars are drawn with block characters instead of ``#``."""
    told = content(rows, specs, title="")
    bold, plain = (BOLD, PLAIN) if color else ("", "")
    said = [line for words in (told.context, *told.notices) for line in textwrap.wrap(clean(words), width)]
    lines = [*(f"{bold}{line}{plain}" for line in textwrap.wrap(clean(told.headline), width)), "", *said, ""]
    every = sections(rows, specs)
    for section in every:
        lines += _bars(section, every, width=width, color=color, blocks=blocks)
    return "\n".join([*lines, table(rows, specs, width=width, color=color)])


def _bars(section: Section, every: Sequence[Section], *, width: int, color: bool, blocks: bool) -> Iterator[str]:
    timed = [(summary, summary.epoch) for summary in section.summaries if summary.epoch is not None]
    if not timed:
        return
    bold, plain = (BOLD, PLAIN) if color else ("", "")
    size, unit = time_unit(summary for summary, _ in timed)
    yield f"{bold}{heading(section.problem, [other.problem for other in every])}{plain}"
    room = min(NAME, max(cell_len(_name(summary)) for summary, _ in timed))
    before = None
    for summary, epoch in timed:
        if summary.cell.batch != before:
            before = summary.cell.batch
            longest = max(other.value for cell, other in timed if cell.cell.batch == before)
            yield f"time per epoch in {unit}, batch {before}"
        bar = _bar(epoch.value / longest, width - room - FIGURE - 4, blocks=blocks)
        drawn = f"{BAR}{bar}{PLAIN}" if color else bar
        yield f"  {set_cell_size(_name(summary), room)} {drawn} {marked(three(epoch.value / size), lost=summary.lost)}"
    yield ""


def _name(summary: Summary) -> str:
    return f"{clean(summary.label)} x{summary.cell.workers}"


def _bar(share: float, room: int, *, blocks: bool) -> str:
    """Return a bar that is always visible, in steps of an eighth of a column if the terminal has block characters."""
    eighths = max(1, round(share * room * 8))
    if not blocks:
        return "#" * max(1, round(share * room))
    return EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
