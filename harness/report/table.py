"""The table of the papers as text: TPE, GFLOP/s and SUP of every backend, with a section for each problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.errors import clean
from harness.report.figures import NO_FIGURE, marked, speedup, spread, three, time_unit, unranked
from harness.report.problem import Specs, heading
from harness.report.remarks import notes, reasons, warnings
from harness.report.summary import Section, Summary, sections
from harness.runner.row import Row
from harness.store import Stored

WIDTH = 100
MIB = 2**20
STYLES = {"ok": "green", "unsupported": "dim", "unavailable": "dim"}
COLUMNS = ("backend", "workers", "batch", "TPE", "±", "GFLOP/s", "SUP", "% peak", "acc. %", "MiB", "state")


def table(rows: Iterable[Row | Stored], specs: Specs, *, width: int = WIDTH, color: bool = False) -> str:
    """Return the table, then what failed and why, then the warnings; nothing in the text can steer a terminal."""
    every = sections(rows, specs)
    console = Console(
        file=StringIO(), width=width, color_system="standard" if color else None, force_terminal=color, highlight=False
    )
    for section in every:
        console.print(Text(heading(section.problem, [other.problem for other in every]), style="bold"))
        console.print(_table(section))
        console.print()
    if not every:
        console.print(Text("no rows"))
    summaries = [summary for section in every for summary in section.summaries]
    for title, lines in (
        ("not ok:", reasons(summaries)),
        ("warnings:", warnings(summaries)),
        ("", notes(summaries)),
    ):
        _list(console, title, lines)
    text = console.file.getvalue() if isinstance(console.file, StringIO) else ""
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip("\n") + "\n"


def _table(section: Section) -> Table:
    size, unit = time_unit(section.summaries)
    drawn = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="")
    for name in COLUMNS:
        shown = f"TPE {unit}" if name == "TPE" else name
        left = name in ("backend", "state")
        drawn.add_column(shown, justify="left" if left else "right", no_wrap=name != "backend", overflow="fold")
    before = None
    for summary in section.summaries:
        if before not in (None, summary.cell.batch):
            drawn.add_row()
        before = summary.cell.batch
        drawn.add_row(*_line(summary, size))
    return drawn


def _line(summary: Summary, size: float) -> list[Text]:
    cell, epoch = summary.cell, summary.epoch
    accuracy, share = (summary.middle(figure) for figure in (lambda row: row.accuracy, lambda row: row.peak_share))
    words = [
        clean(summary.label),
        str(cell.workers),
        str(cell.batch),
        _time(summary, size),
        spread(epoch),
        three(summary.middle(lambda row: row.gflops)),
        marked(speedup(summary.speedup), lost=summary.lost or summary.counterpart_lost),
        three(None if share is None else 100 * share),
        NO_FIGURE if accuracy is None else f"{100 * accuracy:.2f}",
        NO_FIGURE if summary.peak_bytes is None else f"{summary.peak_bytes / MIB:.0f}",
    ]
    state = clean(summary.state)
    return [*map(Text, words), Text(state, style=STYLES.get(state, "red"))]


def _time(summary: Summary, size: float) -> str:
    if summary.epoch:
        return three(summary.epoch.value / size)
    return unranked(three(summary.unranked.value / size)) if summary.unranked else NO_FIGURE


def _list(console: Console, title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    if title:
        console.print(Text(title))
    for line in lines:
        console.print(Padding(Text(clean(line)), (0, 0, 0, 2 if title else 0)))
    console.print()
