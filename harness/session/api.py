"""``harness.run``: the stations tied together, from a study file to rows in a store. The command does the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from harness.datasets import shape_of
from harness.errors import Unavailable, Unsupported
from harness.machine import cores as machine
from harness.plan import Plan, make_plan, this_site
from harness.plan.cell import Cell
from harness.plan.estimate import Earlier, estimate, fitted, nothing_earlier
from harness.runner import OnEvent
from harness.runner.row import Row
from harness.session.run import measure
from harness.store import Again, Store
from harness.study import read_study, study_text
from harness.study.model import Study

STORE = "results.db"


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

    ``overrides`` are ``key=value`` words as for ``--set``. Each row is in the store before the next cell starts; after
    the first Ctrl-C the rows so far are returned, and the same call goes on later.
    ``again`` is ``"failed"`` or ``"all"``, and ``label`` a name for this run, as for the command.
    """
    _, plan = prepared(study, overrides)
    settings = f"overrides={list(overrides)!r}, again={again!r}, label={label!r}"
    call = f"harness.run({str(study)!r}, {str(store)!r}, {settings})"
    text = study_text(study)
    return list(measure(plan, store, again=again, command=call, study_text=text, label=label, on_event=on_event).rows)


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


def _rows(cell: Cell) -> int:
    return shape_of(cell.dataset, cell.dataset_options).rows
