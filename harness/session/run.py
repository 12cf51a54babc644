"""One run: what a plan asks for and the store lacks is measured, each row committed before the next cell starts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from harness.datasets import fetch
from harness.errors import RequestError
from harness.machine import cores as machine
from harness.plan import Plan
from harness.plan.cell import Cell
from harness.runner import OnEvent, run_cells
from harness.runner.row import Row
from harness.store import Again, Run, Store, identity

AGAIN = get_args(Again)
Done = frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    rows: tuple[Row, ...]
    """Those of the plan on this machine that count, whichever run measured them."""
    added: int
    """How many of them this run added."""
    left: int
    """Cells and rounds that an interrupt left unmeasured."""


def measure(
    plan: Plan,
    store: str | Path,
    *,
    again: Again = "",
    command: str = "",
    study_text: str = "",
    label: str = "",
    on_event: OnEvent | None = None,
) -> Outcome:
    """Run a plan into a store; after the first Ctrl-C, return what there is."""
    if again not in AGAIN:
        raise RequestError(f"again={again!r}: choose from {', '.join(map(repr, AGAIN))}")
    run = this_run(plan, command=command, study_text=study_text, label=label)
    with Store.open(store) as opened:
        return _Session(plan, run, opened).measure(again, on_event)


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


@dataclass(frozen=True)
class _Session:
    plan: Plan
    run: Run
    store: Store

    def measure(self, again: Again, on_event: OnEvent | None) -> Outcome:
        """Do everything in order."""
        cells = [*self.plan.cells, *(refused.cell for refused in self.plan.refused)]
        self.store.begin(self.run, cells)
        done = self.store.done(self.run, cells, again)
        refused = self._add(self._refusals(done))
        wanted = frozenset((cell.key, turn) for cell in self.plan.cells for turn in range(self.plan.rounds))
        missing = {key for key, _ in wanted - done}
        fetch_data(cell for cell in self.plan.cells if cell.key in missing)
        measured = self._measured(wanted & done, on_event)
        return Outcome(self._kept(cells), refused + measured, len(wanted - done) - measured)

    def _refusals(self, done: Done) -> Iterator[Row]:
        """Yield one row, of round 0, for each cell that is known not to run here and has none."""
        for refused in self.plan.refused:
            if (refused.cell.key, 0) not in done:
                yield Row(
                    cell=refused.cell,
                    round=0,
                    machine=self.run.machine,
                    state=refused.state,
                    reason=refused.reason,
                    started=time.time(),
                )

    def _measured(self, done: Done, on_event: OnEvent | None) -> int:
        plan = self.plan
        rows = run_cells(
            plan.cells, plan.rounds, seed=plan.seed, machine=self.run.machine, done=done, on_event=on_event
        )
        with closing(rows):
            return self._add(rows)

    def _add(self, rows: Iterable[Row]) -> int:
        count = 0
        for row in rows:
            self.store.add(self.run, row)
            count += 1
        return count

    def _kept(self, cells: Iterable[Cell]) -> tuple[Row, ...]:
        keys = {cell.key for cell in cells}
        found = self.store.rows(self.plan.study)
        return tuple(row for row in found if row.machine == self.run.machine and row.cell.key in keys)


def fetch_data(cells: Iterable[Cell]) -> None:
    """Get what the cells read before the first one starts, so that no cell's time limit pays for a download."""
    for name, options in {(cell.dataset, tuple(sorted(cell.dataset_options.items()))) for cell in cells}:
        fetch(name, dict(options))
