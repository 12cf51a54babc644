"""What the user sees while cells run: one live line on a terminal, nothing where the output is piped.

The line is drawn when something happens and never in between: a spinner would take its CPU from what is being timed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from harness.plan.cell import Cell
from harness.runner import CellBegun, CellEnded, Event, LimitBegun, LimitEnded, OnEvent, RunBegun
from harness.runner.row import FINE
from harness.study.units import spoken
from harness.text import clean


@contextmanager
def progress(*, quiet: bool) -> Iterator[OnEvent | None]:
    """Show a run on standard error while the block lasts, if that is a terminal and nobody asked for quiet."""
    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    columns = (MofNCompleteColumn(), BarColumn(20), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as live:
        yield _Display(live).show


class _Display:
    """Turns the runner's events into the live line, and what fell short into lines that stay."""

    def __init__(self, live: Progress) -> None:
        self._live = live
        self._task: TaskID | None = None
        self._clock = time.monotonic()

    def show(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, RunBegun):
            self._task = self._live.add_task("starting", total=event.total)
            self._clock = time.monotonic()
        elif isinstance(event, LimitBegun):
            self._say(f"the machine's limit: {event.threads} threads, {event.dtype}, round {event.round}")
        elif isinstance(event, LimitEnded) and event.gflops is None:
            self._keep(f"the machine's limit at {event.threads} threads is not known: {event.reason}", "yellow")
        elif isinstance(event, CellBegun):
            self._say(f"{self._left(event)}{named(event.cell)} round {event.round}")
        elif isinstance(event, CellEnded):
            self._ended(event)

    def _ended(self, event: CellEnded) -> None:
        if self._task is not None:
            self._live.update(self._task, completed=event.number, refresh=True)
        if event.row.state not in FINE:
            line = f"{event.row.state}: {named(event.row.cell)} round {event.row.round}: {event.row.reason}"
            self._keep(line, "red")

    def _left(self, event: CellBegun) -> str:
        """Return the time that is left, as if all that is left took as long as what is done, and nothing at first."""
        ended = event.number - 1
        if not ended:
            return ""
        return f"{spoken((time.monotonic() - self._clock) / ended * (event.total - ended))} left, "

    def _say(self, line: str) -> None:
        if self._task is not None:
            self._live.update(self._task, description=clean(line), refresh=True)

    def _keep(self, line: str, style: str) -> None:
        self._live.console.print(Text(clean(line), style=style))


def named(cell: Cell) -> str:
    """Return a cell on one line, all its options spelled out."""
    options = "".join(f" {name}={value}" for name, value in cell.options.items())
    return f"{cell.backend}{options} workers={cell.workers} batch={cell.batch} on {cell.dataset}"
