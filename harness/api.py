"""``harness.run``: the stations tied together, from a study file to rows in a store. The command does the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from harness import machine
from harness.cell import Cell
from harness.datasets import fetch, shape_of
from harness.errors import RequestError, Unavailable, Unsupported
from harness.plan import Plan, make_plan, this_site
from harness.plan.estimate import Earlier, estimate, fitted, nothing_earlier
from harness.row import Row
from harness.runner import OnEvent, run_cells
from harness.store import Again, Run, Store, identity
from harness.study import read_study, study_text
from harness.study.model import Study

STORE = "results.db"
AGAIN = ("", "failed", "all")


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    rows: tuple[Row, ...]
    """Those of the plan on this machine that count, whichever run measured them."""
    added: int
    """How many of them this run added."""
    left: int
    """Cells and rounds that an interrupt left unmeasured."""


def run(
    study: str | Path,
    store: str | Path = STORE,
    *,
    overrides: Sequence[str] = (),
    again: Again = "",
    on_event: OnEvent | None = None,
) -> list[Row]:
    """Measure what a study asks for and the store lacks; return all rows of the study on this machine.

    ``overrides`` are ``key=value`` words as for ``--set``. Each row is in the store before the next cell starts; after
    the first Ctrl-C the rows so far are returned, and the same call goes on later.
    """
    _, plan = prepared(study, overrides)
    call = f"harness.run({str(study)!r}, {str(store)!r}, overrides={list(overrides)!r}, again={again!r})"
    text = study_text(study)
    return list(measure(plan, store, again=again, command=call, study_text=text, on_event=on_event).rows)


def prepared(study: str | Path, overrides: Sequence[str] = (), budget: float | None = None) -> tuple[Study, Plan]:
    """Return a study and its plan for this machine, with as many rounds as fit into ``budget`` seconds.

    A backend that ``overrides`` ask for by name and that can run nothing here is a refused request.
    """
    wanted = read_study(study, overrides)
    plan = make_plan(wanted, this_site(machine.cores()))
    for name in sorted(wanted.asked - {cell.backend for cell in plan.cells}):
        refusal = next((refused for refused in plan.refused if refused.cell.backend == name), None)
        if refusal:
            raise (Unavailable if refusal.state == "unavailable" else Unsupported)(refusal.reason)
    return wanted, plan if budget is None else within(plan, budget)


def within(plan: Plan, budget: float, earlier: Earlier = nothing_earlier) -> Plan:
    """Return the plan with as many rounds as fit into ``budget`` seconds."""
    return fitted(plan, budget, estimate(plan, _rows, earlier).round)


def earlier_times(store: str | Path) -> Earlier:
    """Return what each cell took before, by the rows of this machine in a store; nothing where there is no store."""
    if not Path(store).exists():
        return nothing_earlier
    times: dict[str, list[float]] = {}
    with Store.read(store) as opened:
        for row in opened.rows():
            seconds = row.receipt.get("process", {}).get("seconds")
            if row.machine == machine.identity() and isinstance(seconds, int | float):
                times.setdefault(row.cell.key, []).append(seconds)
    return lambda cell: median(times[cell.key]) if cell.key in times else None


def measure(
    plan: Plan,
    store: str | Path,
    *,
    again: Again = "",
    command: str = "",
    study_text: str = "",
    on_event: OnEvent | None = None,
) -> Outcome:
    """Measure what a plan asks for and the store lacks, each row committed before the next cell starts."""
    if again not in AGAIN:
        raise RequestError(f"again={again!r}: choose from {', '.join(map(repr, AGAIN))}")
    record = this_run(plan, command=command, study_text=study_text)
    cells = [*plan.cells, *(refused.cell for refused in plan.refused)]
    stop = threading.Event()
    with Store.open(store) as opened:
        opened.begin(record, cells)
        done = opened.done(record, cells, again)
        refusals = list(_refusals(plan, record, done))
        for row in refusals:
            opened.add(record, row)
        wanted = {(cell.key, turn) for cell in plan.cells for turn in range(plan.rounds)}
        before = wanted & done
        missing = {key for key, _ in wanted - before}
        _fetch_data(cell for cell in plan.cells if cell.key in missing)
        measured = 0
        rows = run_cells(
            plan.cells, plan.rounds, seed=plan.seed, machine=record.machine, done=before, on_event=on_event, stop=stop
        )
        with closing(rows):
            for row in rows:
                opened.add(record, row)
                measured += 1
        found = opened.rows(plan.study)
    keys = {cell.key for cell in cells}
    kept = tuple(row for row in found if row.machine == record.machine and row.cell.key in keys)
    return Outcome(kept, measured + len(refusals), len(wanted - before) - measured)


def this_run(plan: Plan, *, command: str = "", study_text: str = "") -> Run:
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
        facts=facts,
    )


def _refusals(plan: Plan, record: Run, done: frozenset[tuple[str, int]]) -> Iterator[Row]:
    """Yield one row, of round 0, for each cell that is known not to run here and has none."""
    for refused in plan.refused:
        if (refused.cell.key, 0) not in done:
            yield Row(
                cell=refused.cell,
                round=0,
                machine=record.machine,
                state=refused.state,
                reason=refused.reason,
                started=time.time(),
            )


def _rows(cell: Cell) -> int:
    return shape_of(cell.dataset, cell.dataset_options).rows


def _fetch_data(cells: Iterable[Cell]) -> None:
    """Get what the cells read before the first one starts, so that no cell's time limit pays for a download."""
    for name, options in {(cell.dataset, tuple(sorted(cell.dataset_options.items()))) for cell in cells}:
        fetch(name, dict(options))
