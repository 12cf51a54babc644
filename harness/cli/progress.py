"""Show a run while it goes on: one live line on a terminal, one line for each finished cell where it is piped.

The live line is drawn when something happens and never in between, because a spinner would take CPU time from what is
being timed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from harness.cli import streams
from harness.errors import clean
from harness.plan.cell import Cell
from harness.runner.events import CellBegun, CellEnded, Event, LimitBegun, LimitEnded, OnEvent, RunBegun
from harness.runner.row import FINE, Row
from harness.study.units import spoken


@contextmanager
def progress(*, quiet: bool) -> Iterator[OnEvent | None]:
    """Show a run on standard error while the block lasts, unless ``quiet``."""
    if quiet:
        yield None
        return
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _tell
        return
    columns = (MofNCompleteColumn(), BarColumn(20), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as live:
        yield _Display(live).show


def _tell(event: Event) -> None:
    """Print one line at once when a cell has ended, or when the machine's limit could not be measured."""
    if isinstance(event, CellEnded):
        row = event.row
        reason = f": {row.reason}" if row.reason else ""
        _print(f"{event.number}/{event.total} {row.state}, {_named_round(row)}, {spoken(event.seconds)}{reason}")
    elif isinstance(event, LimitEnded) and event.gflops is None:
        _print(_unknown(event))


def _print(line: str) -> None:
    """Print to standard error. A reader that has left or a full disk there must not end the run."""
    try:
        print(f"harness: {clean(line)}", file=sys.stderr, flush=True)
    except OSError:
        streams.forget(sys.stderr)


def _unknown(event: LimitEnded) -> str:
    return f"the machine's limit at {event.threads} threads is not known: {event.reason}"


class _Display:
    """Turn the runner's events into the live line, and every failed cell into a line that stays."""

    def __init__(self, live: Progress) -> None:
        self._live = live
        self._task: TaskID | None = None
        self._clock = time.monotonic()

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, RunBegun):
            self._task = self._live.add_task("starting", total=event.total)
            self._clock = time.monotonic()
        elif isinstance(event, LimitBegun):
            self._say(f"the machine's limit: {event.threads} threads, {event.dtype}, round {event.round}")
        elif isinstance(event, LimitEnded) and event.gflops is None:
            self._keep(_unknown(event), "yellow")
        elif isinstance(event, CellBegun):
            self._say(f"{self._left(event)}{named(event.cell)} round {event.round}")
        elif isinstance(event, CellEnded):
            self._ended(event)

    def _ended(self, event: CellEnded) -> None:
        if self._task is not None:
            self._live.update(self._task, completed=event.number, refresh=True)
        if event.row.state not in FINE:
            self._keep(f"{event.row.state}: {_named_round(event.row)}: {event.row.reason}", "red")

    def _left(self, event: CellBegun) -> str:
        """Return about how much time is left, by the mean time of the cells so far; nothing before the first ended."""
        ended = event.number - 1
        if not ended:
            return ""
        return f"{spoken((time.monotonic() - self._clock) / ended * (event.total - ended))} left, "

    def _say(self, line: str) -> None:
        if self._task is not None:
            self._live.update(self._task, description=clean(line), refresh=True)

    def _keep(self, line: str, style: str) -> None:
        self._live.console.print(Text(clean(line), style=style))


def _named_round(row: Row) -> str:
    return f"{named(row.cell)} round {row.round}"


def named(cell: Cell) -> str:
    """Return a cell on one line, with all its options."""
    options = "".join(f" {name}={value}" for name, value in cell.options.items())
    return f"{cell.backend}{options} workers={cell.workers} batch={cell.batch} on {cell.dataset}"
