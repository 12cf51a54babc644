"""Pairs measured through the runner, each row in the store before the next cell starts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from harness.plan import Plan
from harness.plan.cell import Cell
from harness.report.compare.differences import differences
from harness.report.compare.judging import Comparison
from harness.report.compare.looks import LABEL
from harness.report.compare.result import Result
from harness.report.compare.sides import Side
from harness.report.compare.thresholds import Thresholds
from harness.runner import Measure, Peak, run_cells
from harness.runner.peaks import measure_limit
from harness.runner.row import Row
from harness.session.gate.contenders import Contender, pairs
from harness.session.gate.sampling import OnLook, Sampler
from harness.session.run import fetch_data, this_run
from harness.store import Run, Store, Stored
from harness.study.model import Study


class Runner:
    """Measures a few cells in one round, in random order, and keeps all rows under one run."""

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
            found = [self._kept(row) for row in rows]
        return found if not self._stop.is_set() else []

    def _kept(self, row: Row) -> Stored:
        self._store.add(self._run, row)
        run = self._run
        plugin = run.plugins.get(row.cell.backend, "")
        return Stored(row=row, run=run.id, code=run.code, plugin=plugin, label=run.label, attempt=1)


def once(measure: Measure) -> Measure:
    """Measure the machine's limit once for each number of threads and dtype: a pair takes less time than that."""
    known: dict[tuple[int, str], Peak] = {}

    def limit(threads: int, dtype: str, stop: threading.Event) -> Peak:
        key = threads, dtype
        if known.get(key) is None or known[key].gflops is None:
            known[key] = measure(threads, dtype, stop)
        return known[key]

    return limit


def runner(store: Store, study: Study, cells: Sequence[Sequence[Cell]], label: str, command: str) -> Runner:
    """Begin a run in the store and return what measures its cells."""
    every = tuple({cell.key: cell for pair in cells for cell in pair}.values())
    plan = Plan(study=study.name, title=study.title, cells=every, refused=(), rounds=1, seed=study.seed[0])
    run = this_run(plan, command=command, study_text=study.text, label=label)
    store.begin(run, every)
    fetch_data(every)
    return Runner(store, run, plan.seed)


def until_decided(
    words: tuple[str, str],
    study: Study,
    store: str | Path,
    *,
    thresholds: Thresholds,
    budget: float,
    command: str = "",
    on_look: OnLook | None = None,
) -> tuple[Result, bool]:
    """Sample two backends on the problems of a study; return the result and whether it was interrupted."""
    a, b = map(Contender.of, words)
    cells = pairs(a, b, study)
    with Store.open(store) as opened:
        measure = runner(opened, study, cells, LABEL, command)
        sampler = Sampler(measure, thresholds, budget, seed=study.seed[0])
        if on_look is not None:
            sampler.on_look = on_look
        found = sampler.run(cells)
    left = len(cells) - len(found)
    notes = (f"{left} of {len(cells)} cells were not measured at all: the budget was spent before",) if left else ()
    return _result(a, b, found, notes), sampler.interrupted


def _result(a: Contender, b: Contender, found: Sequence[Comparison], notes: tuple[str, ...]) -> Result:
    sides = [
        Side("backend", one.word, tuple(row for comparison in found for row in of(comparison)))
        for one, of in ((a, _before), (b, _after))
    ]
    note = "sampled until decided: verdicts allow for every look; an interval is that of its number of rounds"
    return Result(
        a=sides[0],
        b=sides[1],
        cells=tuple(found),
        only_a=(),
        only_b=(),
        differences=differences([(one.setting, one.pair) for one in found], backends=True),
        notes=(note, *notes),
    )


def _before(one: Comparison) -> tuple[Stored, ...]:
    return one.pair.before.rows


def _after(one: Comparison) -> tuple[Stored, ...]:
    return one.pair.after.rows
