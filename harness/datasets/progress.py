"""The progress of a download: a bar on standard error where that is a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn


class Bar:
    """What pooch calls while it transfers: ``total`` is set once, ``update`` gets the bytes of each chunk."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None)

    @property
    def total(self) -> float | None:
        """Bytes to come, ``None`` while unknown."""
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        """A further attempt starts the bar again."""
        self._progress.reset(self._task, total=size or None)

    def update(self, size: int) -> None:
        """Count further bytes."""
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        """Count from nothing; pooch does so just before it fills the bar at the end."""
        self._progress.reset(self._task, total=self.total)

    def close(self) -> None:
        """Leave the bar as it is: ``bar`` ends it."""


@contextmanager
def bar(name: str) -> Iterator[Bar | None]:
    """Show a bar while the block runs; yields ``None`` where nobody looks."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        yield Bar(name, progress)
