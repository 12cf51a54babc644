"""Measures pairs of cells through the runner; each row is in the store before the next cell starts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from harness.machine.lock import Holder, OnWait, machine_lock
from harness.machine.needs import require_processes
from harness.plan.cell import Cell
from harness.plan.model import Plan
from harness.report.compare.error_rate import LABEL
from harness.report.compare.result import Result, differences
from harness.report.compare.sides import Side
from harness.report.compare.verdicts import Comparison, Thresholds
from harness.runner.loop import run_cells
from harness.runner.peaks import Measure, Peak, measure_limit
from harness.runner.row import Row
from harness.session.gate.contenders import Contender, pairs
from harness.session.gate.sampling import OnLook, Sampler
from harness.session.running import fetch_data, this_run
from harness.store import Run, Store, Stored
from harness.study.model import Study


def ignored(_holder: Holder | None) -> None:
    """Wait for another run without a word."""


class RoundRunner:
    """Measures a few cells in one round, in random order, and stores all rows under one run."""

    def __init__(self, store: Store, run: Run, seed: int) -> None:
        self._store, self._run, self._seed = store, run, seed
        self._stop = threading.Event()
        self._limit = once(measure_limit)

    def __call__(self, cells: Sequence[Cell], turn: int) -> list[Stored]:
        """Return the rows of all cells, or none after Ctrl-C."""
        before = frozenset((cell.key, earlier) for cell in cells for earlier in range(turn))
        rows = run_cells(
            cells,
            turn + 1,
            seed=self._seed,
            machine=self._run.machine,
            done=before,
            limit=self._limit,
            stop=self._stop,
        )
        with closing(rows):
            kept = [self._kept(row) for row in rows]
        return kept if not self._stop.is_set() else []

    def _kept(self, row: Row) -> Stored:
        self._store.add(self._run, row)
        run = self._run
        plugin = run.plugins.get(row.cell.backend, "")
        return Stored(row=row, run=run.id, code=run.code, plugin=plugin, label=run.label, attempt=1)


def once(measure: Measure) -> Measure:
    """Measure the limit of the machine once for each number of threads and dtype: it takes longer than a pair."""
    known: dict[tuple[int, str], Peak] = {}

    def limit(threads: int, dtype: str, stop: threading.Event) -> Peak:
        key = threads, dtype
        if known.get(key) is None or known[key].gflops is None:
            known[key] = measure(threads, dtype, stop)
        return known[key]

    return limit


@contextmanager
def runner(
    store: Store, study: Study, cells: Sequence[Sequence[Cell]], label: str, command: str, on_wait: OnWait = ignored
) -> Iterator[RoundRunner]:
    """Begin a run in the store, and yield what measures its cells. Only one run at a time measures on a machine.

    While another run holds the machine, wait for it, after ``on_wait`` was told for whom.
    """
    every = tuple({cell.key: cell for pair in cells for cell in pair}.values())
    plan = Plan(study=study.name, title=study.title, cells=every, refused=(), rounds=1, seed=study.seed[0])
    run = this_run(plan, command=command, study_text=study.text, label=label)
    store.begin(run, every)
    fetch_data(every)
    with machine_lock(command, on_wait=on_wait):
        yield RoundRunner(store, run, plan.seed)


def until_decided(  # noqa: PLR0913  every one is a setting of the sampling, given by name
    words: tuple[str, str],
    study: Study,
    store: str | Path,
    *,
    thresholds: Thresholds,
    budget: float,
    command: str = "",
    on_look: OnLook | None = None,
    on_wait: OnWait = ignored,
) -> tuple[Result, bool]:
    """Sample two backends on the problems of a study; return the result and whether it was interrupted.

    The budget begins when no other run measures on this machine any more; ``on_wait`` is told for whom it waits.
    """
    require_processes()
    a, b = map(Contender.of, words)
    cells = pairs(a, b, study)
    with Store.open(store) as opened, runner(opened, study, cells, LABEL, command, on_wait) as measure:
        sampler = Sampler(measure, thresholds, budget, seed=study.seed[0])
        if on_look is not None:
            sampler.on_look = on_look
        comparisons = sampler.run(cells)
    left = len(cells) - len(comparisons)
    notes = (f"{left} of {len(cells)} cells were not measured at all: the budget was spent before",) if left else ()
    return _result(a, b, comparisons, notes), sampler.interrupted


def _result(a: Contender, b: Contender, comparisons: Sequence[Comparison], notes: tuple[str, ...]) -> Result:
    sides = [
        Side("backend", contender.word, tuple(row for comparison in comparisons for row in of(comparison)))
        for contender, of in ((a, _before), (b, _after))
    ]
    note = "sampled until decided: verdicts are corrected for every look; each interval is that of a single look"
    return Result(
        a=sides[0],
        b=sides[1],
        cells=tuple(comparisons),
        only_a=(),
        only_b=(),
        differences=differences([(cell.setting, cell.pair) for cell in comparisons], backends=True),
        notes=(note, *notes),
    )


def _before(comparison: Comparison) -> tuple[Stored, ...]:
    return comparison.pair.before.rows


def _after(comparison: Comparison) -> tuple[Stored, ...]:
    return comparison.pair.after.rows
