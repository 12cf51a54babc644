"""``run_cells``: measure every cell once in each round, one at a time; yield each row before the next cell starts."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import FrameType

from harness.machine.process import Limits, Start, run
from harness.plan.cell import Cell
from harness.runner.events import CellBegun, CellEnded, CellNews, Event, OnEvent, RunBegun, RunEnded
from harness.runner.merging import merged
from harness.runner.peaks import Measure, Peaks, measure_limit
from harness.runner.row import Row
from harness.runner.starting import Launches, Refusal

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and the signal by which others ask a process to end."""


def run_cells(  # noqa: PLR0913  all that a run needs to know, by keyword
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
    """Yield one row for every cell and round that is not in ``done``, as soon as the row is complete.

    ``done`` holds pairs of a cell's key and a round. Each cell runs in new processes, and all of them have ended when
    its row is yielded. The next cell starts when the next row is asked for. ``machine`` is written into each row.
    ``limit`` measures, before the first cell of each round, what the machine can do at best; ``None`` measures nothing.
    The first Ctrl-C, or setting ``stop``, ends the running cell with the state ``interrupted``, and the iteration after
    it. The second Ctrl-C raises ``KeyboardInterrupt``.
    """
    halt = threading.Event() if stop is None else stop
    tell = _silent if on_event is None else on_event
    plan = ordered(cells, rounds, seed, done)
    session = _Session(machine, halt, tell, Peaks(limit, halt, tell), Launches(halt))
    with interruptible(halt), closing(session.rows(plan, len(done))) as rows:
        yield from rows


def _silent(event: Event) -> None:
    """Hear an event and do nothing: used if there is no ``on_event``."""


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


@dataclass(frozen=True)
class Round:
    """The cells that one round still has to measure, in order."""

    number: int
    cells: tuple[Cell, ...]


def ordered(
    cells: Iterable[Cell], rounds: int, seed: int, done: Collection[tuple[str, int]] = frozenset()
) -> list[Round]:
    """Return all rounds; each has every cell once, in its own order drawn from the seed, without those in ``done``.

    The order depends only on the cells, the seed and the round. So a run that is started again continues in the order
    of the first run.
    """
    distinct = sorted({cell.key: cell for cell in cells}.items())
    return [_round(distinct, number, seed, done) for number in range(rounds)]


def _round(cells: list[tuple[str, Cell]], number: int, seed: int, done: Collection[tuple[str, int]]) -> Round:
    drawn = list(cells)
    random.Random(f"{seed}:{number}").shuffle(drawn)  # noqa: S311  an order is no secret
    return Round(number, tuple(cell for key, cell in drawn if (key, number) not in done))


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """Until the block ends, let the first signal set ``stop`` and the next one raise ``KeyboardInterrupt``.

    So the caller can still commit the last row after the first signal. Python can set handlers only in the main thread;
    in another thread this does nothing, and the caller sets ``stop``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  Python calls a handler with both
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, asked) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
