"""The gate tests itself: one backend against itself, and against a copy whose slowdown is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from harness.contract.registry import spec
from harness.errors import HarnessError
from harness.plan.cell import Cell
from harness.session.gate.contenders import Contender
from harness.session.gate.copy import NAME
from harness.session.gate.outcome import Outcome, Trio
from harness.store import Stored
from harness.study.model import Study

Measure: TypeAlias = Callable[[Sequence[Cell], int], Sequence[Stored]]
OnRun: TypeAlias = Callable[[int, int], None]
"""Hears ``(runs done, runs)``."""


def trios(word: str, percent: int, study: Study) -> list[Trio]:
    """Return each cell of a backend with its twin and its slowed copy.

    The twin is the same in all that is measured: only its time limit is a second longer, so that the store can tell
    the rows of the two apart.
    """
    options = spec(NAME).resolve({"base": word.replace(",", ";"), "percent": percent})
    return [
        (cell, replace(cell, time_limit=cell.time_limit + 1), replace(cell, backend=NAME, options=options))
        for cell in Contender.of(word).cells(study)
    ]


@dataclass
class Calibrator:
    """Measures and judges; ``measure`` runs the three cells of a trio in one round, in random order."""

    measure: Measure
    rounds: int
    runs: int
    on_run: OnRun = lambda _done, _runs: None

    def run(self, found: Sequence[Trio]) -> Outcome:
        """Measure every trio in all rounds of all runs."""
        taken: list[list[dict[str, Stored]]] = [[] for _ in found]
        for turn in range(self.runs * self.rounds):
            for trio, rows in zip(found, taken, strict=True):
                rows.append(self._round(trio, turn))
            if (turn + 1) % self.rounds == 0:
                self.on_run((turn + 1) // self.rounds, self.runs)
        return Outcome(found, taken, self.rounds, self.runs)

    def _round(self, trio: Trio, turn: int) -> dict[str, Stored]:
        rows = {one.row.cell.key: one for one in self.measure(trio, turn)}
        for cell in trio:
            row = rows[cell.key].row if cell.key in rows else None
            if row is None or row.state != "ok":
                cause = "it was interrupted" if row is None else f"{cell.backend} is {row.state}: {row.reason}"
                raise HarnessError(f"the gate was not calibrated: {cause}")
        return rows
