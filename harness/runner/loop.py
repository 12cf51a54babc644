"""``run_cells``: every cell once a round, one at a time, each row handed over before the next cell starts."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass

from harness.machine.process import Limits, Start, run
from harness.plan.cell import Cell
from harness.runner.events import CellBegun, CellEnded, CellNews, Event, OnEvent, RunBegun, RunEnded
from harness.runner.interrupt import interruptible
from harness.runner.merging import merged
from harness.runner.order import Round, ordered
from harness.runner.peaks import Measure, Peaks, measure_limit
from harness.runner.row import Row
from harness.runner.starting import Launches, Refusal


def run_cells(  # noqa: PLR0913  what a whole run needs to know, by keyword
    cells: Iterable[Cell],
    rounds: int,
    *,
    seed: int,
    machine: str,
    done: Collection[tuple[str, int]] = frozenset(),
    on_event: OnEvent | None = None,
    limit: Measure | None = measure_limit,
    stop: threading.Event | None = None,
) -> Generator[Row]:
    """Yield one row for every cell and round that is not done, as soon as it is there.

    A cell runs in fresh processes that are all gone when its row is yielded; the next starts when the next row is
    asked for. ``machine`` is written into each row; ``limit`` measures what the machine can do at best, before the
    first cell of each round, and ``None`` does without. The first Ctrl-C, or setting ``stop``, ends the running
    cell as ``interrupted`` and the iteration after it; the second raises ``KeyboardInterrupt``.
    """
    halt = threading.Event() if stop is None else stop
    tell = _silent if on_event is None else on_event
    plan = ordered(cells, rounds, seed, done)
    session = _Session(machine, halt, tell, Peaks(limit, halt, tell), Launches(halt))
    with interruptible(halt), closing(session.rows(plan, len(done))) as rows:
        yield from rows


def _silent(event: Event) -> None:
    """Stand in for ``on_event``."""


@dataclass
class _Session:
    """One call of ``run_cells``."""

    machine: str
    stop: threading.Event
    on_event: OnEvent
    peaks: Peaks
    launches: Launches

    def rows(self, plan: list[Round], done: int) -> Generator[Row, None, None]:
        total, number = sum(len(turn.cells) for turn in plan), 0
        self.on_event(RunBegun(total, done, len(plan)))
        for turn in plan:
            self.peaks.refresh(turn.cells, turn.number)
            for cell in turn.cells:
                if self.stop.is_set():
                    break
                number += 1
                yield self._row(cell, turn.number, number, total)
        self.on_event(RunEnded(total - number, self.stop.is_set()))

    def _row(self, cell: Cell, turn: int, number: int, total: int) -> Row:
        self.on_event(CellBegun(cell, turn, number, total))
        clock = time.monotonic()
        row = self.peaks.applied(self._measured(cell, turn))
        self.on_event(CellEnded(row, number, total, time.monotonic() - clock))
        return row

    def _measured(self, cell: Cell, turn: int) -> Row:
        started = time.time()
        launch = self.launches.of(cell)
        if isinstance(launch, Refusal):
            state, reason = launch.state, launch.reason
            return Row(cell=cell, round=turn, machine=self.machine, started=started, state=state, reason=reason)
        start = Start(
            module="harness.worker",
            request={"cell": cell.to_json(), "round": turn},
            environment=launch.environment,
            limits=Limits(cell.time_limit, cell.memory_limit),
            words=launch.words,
            cpus=launch.cpus,
            python=cell.python or sys.executable,
        )
        ended = run(start, on_message=lambda news: self.on_event(CellNews(cell, turn, news)), stop=self.stop)
        return merged(cell, turn, self.machine, started, ended, launch)
