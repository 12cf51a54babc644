"""The machine's limit, measured between the cells: "% of peak" refers to it, and a change of it is a warning."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from statistics import median_high
from typing import Any, TypeAlias

from harness.contract.environment import applied
from harness.contract.environment import threads as every_library_at
from harness.machine.launch import confined
from harness.machine.process import Limits, Start, run
from harness.plan.cell import Cell
from harness.runner.events import LimitBegun, LimitEnded, OnEvent
from harness.runner.row import Row

DRIFT = 0.1
"""The relative change of the limit from which the rows that refer to it get a warning."""
SECONDS = 60.0
"""How long one measurement of the limit may take."""


@dataclass(frozen=True)
class Peak:
    """The limit of this machine for one number of threads and dtype, measured once."""

    gflops: float | None
    """Multiply-adds on registers, or without llvmlite the best matrix product; ``None`` if nothing was measured."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Everything that was measured, for the receipt."""
    reason: str = ""
    """Why nothing was measured."""


Measure: TypeAlias = Callable[[int, str, threading.Event], Peak]
"""Measures the limit: called with ``(threads, dtype, stop)``."""


def measure_limit(threads: int, dtype: str, stop: threading.Event) -> Peak:
    """Measure the limit in a process of its own, started like a cell with so many workers; setting ``stop`` ends it."""
    start = Start(
        module="harness.machine.limit.child",
        request={"threads": threads, "dtype": dtype},
        environment=applied(os.environ, every_library_at(threads)),
        limits=Limits(SECONDS),
        cpus=confined(threads),
    )
    ended = run(start, stop=stop)
    if ended.message is None:
        last = ended.stderr.splitlines()[-1:] or [f"exit code {ended.exit_code}"]
        return Peak(None, reason=f"the machine's limit was not measured: {ended.reason or last[0]}")
    return Peak(float(ended.message["gflops"]), ended.message)


class Peaks:
    """All limits that this run has measured, by number of threads and dtype."""

    def __init__(self, measure: Measure | None, stop: threading.Event, on_event: OnEvent) -> None:
        self._measure, self._stop, self._on_event = measure, stop, on_event
        self._seen: dict[tuple[int, str], list[float]] = {}
        self._newest: dict[tuple[int, str], Peak] = {}

    def refresh(self, cells: Iterable[Cell], turn: int) -> None:
        """Measure the limit again for every number of threads and dtype that these cells use."""
        wanted = {key for cell in cells if (key := _key(cell)) is not None}
        for threads, dtype in sorted(wanted):
            if self._measure is None or self._stop.is_set():
                return
            self._take(self._measure, threads, dtype, turn)

    def _take(self, measure: Measure, threads: int, dtype: str, turn: int) -> None:
        self._on_event(LimitBegun(threads, dtype, turn))
        peak = measure(threads, dtype, self._stop)
        self._newest[threads, dtype] = peak
        if peak.gflops is not None:
            self._seen.setdefault((threads, dtype), []).append(peak.gflops)
        self._on_event(LimitEnded(threads, dtype, turn, peak.gflops, peak.reason))

    def applied(self, row: Row) -> Row:
        """Return the row with its share of the limit, the limit in its receipt, and a warning if the limit has changed.

        A row that is faster than the limit has it measured once more.
        """
        key = _key(row.cell)
        peak = None if key is None else self._newest.get(key)
        if key is None or peak is None or row.state != "ok":
            return row
        if not peak.gflops:
            return replace(row, warnings=(*row.warnings, peak.reason))
        if row.gflops is not None and row.gflops > max(self._seen[key]) and self._measure and not self._stop.is_set():
            self._take(self._measure, *key, row.round)  # no program can pass the limit, so it was measured too low
        limit = max(self._seen[key])
        share = None if row.gflops is None else row.gflops / limit
        warnings = [*row.warnings, *_drift(self._seen[key])]
        if share is not None and share > 1:
            warnings.append(
                f"ran at {row.gflops:.0f} GFLOP/s, above the limit of {limit:.0f}: the limit was measured too low"
            )
            share = None
        receipt = {**row.receipt, "limit": {**self._newest[key].facts, "gflops": limit}}
        return replace(row, peak_share=share, warnings=tuple(warnings), receipt=receipt)


def _key(cell: Cell) -> tuple[int, str] | None:
    """Return threads and dtype of a cell; ``None`` for a cell that runs on a device or on other machines."""
    if cell.options.get("device") == "cuda" or cell.hosts:
        return None
    cpus = confined(cell.workers)
    return (cell.workers if cpus is None else len(cpus)), cell.network.dtype


def _drift(seen: list[float]) -> tuple[str, ...]:
    """Return a warning if the newest limit differs from the median of the earlier ones.

    The median keeps one disturbed sample from causing a warning in every later row. Of two values in the middle the
    higher counts, because a disturbance always makes a measurement lower.
    """
    *earlier, now = seen
    usual = median_high(earlier) if earlier else now
    if abs(now / usual - 1) <= DRIFT:
        return ()
    return (f"the machine changed its speed during the run: its limit is {now:.0f} GFLOP/s and was {usual:.0f} before",)
