"""Run a study: read it, plan it, measure what the store lacks, and return the rows. ``harness.run`` lives here.

The command ``harness run`` uses the same functions. Each row is committed to the store before the next cell starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import get_args

from harness.datasets import fetch, shape_of
from harness.errors import RequestError, Unavailable, Unsupported
from harness.machine import cores as machine
from harness.machine.lock import OnWait, machine_lock
from harness.machine.needs import require_processes
from harness.plan.cell import Cell
from harness.plan.estimate import Earlier, estimate, fitted, nothing_earlier
from harness.plan.model import Plan
from harness.plan.planning import make_plan
from harness.plan.site import this_site
from harness.runner.events import OnEvent
from harness.runner.loop import run_cells
from harness.runner.row import Row
from harness.store import Again, Run, Store, Stored, identity
from harness.study import read_study, study_text
from harness.study.catalogue import installed
from harness.study.model import Study

STORE = "results.db"
"""The store that is used if no other is named."""
AGAIN = get_args(Again)
SHARED = "another run measured on this machine at the same time, as --share allows"
"""The warning in every row of a run that went on beside another."""

Done = frozenset[tuple[str, int]]
"""``(key of a cell, round)`` of what the store already has."""


@dataclass(frozen=True)
class RunResult:
    """The result of running a plan into a store."""

    stored: tuple[Stored, ...]
    """The rows that count for the plan on this machine, each with the run that measured it: this one or an earlier."""
    added: int
    """How many rows this run added."""
    left: int
    """How many rounds of cells an interrupt left unmeasured."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows without their runs."""
        return tuple(entry.row for entry in self.stored)


def run(
    study: str | Path,
    store: str | Path = STORE,
    *,
    overrides: Sequence[str] = (),
    again: Again = "",
    label: str = "",
    on_event: OnEvent | None = None,
) -> list[Row]:
    """Measure what a study asks for and the store lacks; return all rows of the study on this machine.

    ``overrides`` are ``key=value`` words as for ``--set``. Each row is in the store before the next cell starts. After
    the first Ctrl-C, the rows so far are returned, and the same call continues later.
    ``again`` is ``"failed"`` or ``"all"``, and ``label`` is a name for this run, as for the command.
    """
    _, plan = prepared(study, overrides)
    settings = f"overrides={list(overrides)!r}, again={again!r}, label={label!r}"
    call = f"harness.run({str(study)!r}, {str(store)!r}, {settings})"
    text = study_text(study)
    return list(measure(plan, store, again=again, command=call, study_text=text, label=label, on_event=on_event).rows)


def prepared(
    study: str | Path, overrides: Sequence[str] = (), budget: float | None = None, *, ask: bool = True
) -> tuple[Study, Plan]:
    """Return a study and its plan for this machine, with as many rounds as fit into ``budget`` seconds.

    If ``overrides`` name a backend and none of its cells can run here, the request is refused. Only with ``ask`` are
    other interpreters that the study names started, to ask them for their backends.
    """
    wanted = read_study(study, overrides, installed(ask=ask))
    plan = make_plan(wanted, this_site(machine.cores(), ask=ask))
    for name in sorted(wanted.asked - {cell.backend for cell in plan.cells}):
        refusal = next((refused for refused in plan.refused if refused.cell.backend == name), None)
        if refusal:
            raise (Unavailable if refusal.state == "unavailable" else Unsupported)(refusal.reason)
    return wanted, plan if budget is None else within(plan, budget)


def within(plan: Plan, budget: float, earlier: Earlier = nothing_earlier) -> Plan:
    """Return the plan with as many rounds as fit into ``budget`` seconds."""
    return fitted(plan, budget, estimate(plan, _dataset_rows, earlier).round)


def earlier_times(store: str | Path) -> Earlier:
    """Return a function that says how long a cell took in earlier runs on this machine, by the rows of a store.

    If there is no store, the function knows no times.
    """
    if not Path(store).exists():
        return nothing_earlier
    times: dict[str, list[float]] = {}
    with Store.read(store) as opened:
        for row in opened.rows():
            seconds = row.receipt.get("process", {}).get("seconds")
            if row.machine == machine.identity() and isinstance(seconds, int | float):
                times.setdefault(row.cell.key, []).append(seconds)
    return lambda cell: median(times[cell.key]) if cell.key in times else None


def measure(  # noqa: PLR0913  every one is a setting of the run, given by name
    plan: Plan,
    store: str | Path,
    *,
    again: Again = "",
    command: str = "",
    study_text: str = "",
    label: str = "",
    on_event: OnEvent | None = None,
    share: bool = False,
    on_wait: OnWait = lambda _holder: None,
) -> RunResult:
    """Run a plan into a store. After the first Ctrl-C, stop and return what was measured so far.

    Only one run at a time measures on a machine: this one waits for another, after ``on_wait`` was told for whom, or
    goes on beside it with ``share``, and then every row says so. A system on which no cell can run is ``Unavailable``,
    and then no store is made.
    """
    if again not in AGAIN:
        raise RequestError(f"again={again!r}: choose from {', '.join(map(repr, AGAIN))}")
    require_processes()
    record = this_run(plan, command=command, study_text=study_text, label=label)
    with Store.open(store) as opened:
        return _RunIntoStore(
            plan, record, opened, partial(machine_lock, command, share=share, on_wait=on_wait)
        ).measure(again, on_event)


def this_run(plan: Plan, *, command: str = "", study_text: str = "", label: str = "") -> Run:
    """Return the record of a run on this machine with the code that is installed here."""
    facts = {"cpu": machine.cpu_model(), "cores": machine.cores(), "memory_gib": machine.memory_gib()}
    return Run(
        study=plan.study,
        machine=machine.identity(),
        code=identity.code(),
        plugins=identity.plugins(),
        seed=plan.seed,
        command=command,
        study_text=study_text,
        label=label,
        facts=facts,
    )


def fetch_data(cells: Iterable[Cell]) -> None:
    """Download the datasets of all cells before the first cell starts, so that no time limit includes a download."""
    for name, options in {(cell.dataset, tuple(sorted(cell.dataset_options.items()))) for cell in cells}:
        fetch(name, dict(options))


@dataclass(frozen=True)
class _RunIntoStore:
    """A plan, the record of the run that measures it, and the open store that the rows go into."""

    plan: Plan
    record: Run
    store: Store
    lock: Callable[[], AbstractContextManager[bool]]
    """Hold the machine; yields whether it is shared with another run."""

    def measure(self, again: Again, on_event: OnEvent | None) -> RunResult:
        """Record the refused cells, fetch the data, measure what is missing, and return the result."""
        cells = [*self.plan.cells, *(refused.cell for refused in self.plan.refused)]
        self.store.begin(self.record, cells)
        done = self.store.done(self.record, cells, again)
        refused = self._add(self._refusals(done))
        wanted = frozenset((cell.key, turn) for cell in self.plan.cells for turn in range(self.plan.rounds))
        missing = {key for key, _ in wanted - done}
        fetch_data(cell for cell in self.plan.cells if cell.key in missing)
        measured = 0
        if missing:
            with self.lock() as shared:
                done = self.store.done(self.record, cells, again)  # a run that this one waited for may have added rows
                measured = self._measured(wanted & done, on_event, shared=shared)
        return RunResult(self._kept(cells), refused + measured, len(wanted - done) - measured)

    def _refusals(self, done: Done) -> Iterator[Row]:
        """Yield a row of round 0 for each cell that cannot run here and has no row yet."""
        for refused in self.plan.refused:
            if (refused.cell.key, 0) not in done:
                yield Row(
                    cell=refused.cell,
                    round=0,
                    machine=self.record.machine,
                    state=refused.state,
                    reason=refused.reason,
                    started=time.time(),
                )

    def _measured(self, done: Done, on_event: OnEvent | None, *, shared: bool) -> int:
        plan = self.plan
        rows = run_cells(
            plan.cells, plan.rounds, seed=plan.seed, machine=self.record.machine, done=done, on_event=on_event
        )
        with closing(rows):
            return self._add(replace(row, warnings=(*row.warnings, SHARED)) if shared else row for row in rows)

    def _add(self, rows: Iterable[Row]) -> int:
        count = 0
        for row in rows:
            self.store.add(self.record, row)
            count += 1
        return count

    def _kept(self, cells: Iterable[Cell]) -> tuple[Stored, ...]:
        keys = {cell.key for cell in cells}
        here = self.record.machine
        rows = self.store.newest(self.plan.study)
        return tuple(entry for entry in rows if entry.row.machine == here and entry.row.cell.key in keys)


def _dataset_rows(cell: Cell) -> int:
    return shape_of(cell.dataset, cell.dataset_options).rows
