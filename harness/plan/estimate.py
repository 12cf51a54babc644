"""How long a plan will take: from earlier times where there are any, else from a rough model of this kind of machine.

The model only has to tell minutes from hours. Where a backend's figures are known, from a row with the same settings,
they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.plan.cell import Cell
from harness.plan.model import Plan
from harness.study.units import spoken

Earlier = Callable[[Cell], float | None]
"""Seconds that one round of this very cell took before, or ``None``."""

START = 1.5
"""Seconds to start a process, import a library and give the memory back."""
GFLOPS = 20.0
"""Of one core on large batches, on the modest side of current machines and libraries."""
DEVICE_GFLOPS = 4000.0
"""Of a device, as modest."""
STEP = 50e-6
"""Seconds that every batch costs whatever its size: Python, a barrier, a launch."""
PASSES = 1.5
"""Epochs' worth of work outside the timed ones: evaluation and the check against the reference."""


@dataclass(frozen=True)
class Duration:
    """Seconds by cell, in the plan's order, for one round; and how many of them rest on earlier times."""

    seconds: tuple[float, ...]
    known: int

    @property
    def round(self) -> float:
        """Seconds for one round of all cells."""
        return sum(self.seconds)


def nothing_earlier(_cell: Cell) -> float | None:
    """Know no earlier times."""
    return None


def estimate(plan: Plan, rows: Callable[[Cell], int], earlier: Earlier = nothing_earlier) -> Duration:
    """Return what one round of every cell will take; a cell ends at its time limit at the latest."""
    before = [earlier(cell) for cell in plan.cells]
    pairs = zip(plan.cells, before, strict=True)
    seconds = [modelled(cell, rows(cell)) if found is None else found for cell, found in pairs]
    limited = [min(found, cell.time_limit) for found, cell in zip(seconds, plan.cells, strict=True)]
    return Duration(tuple(limited), sum(found is not None for found in before))


def modelled(cell: Cell, rows: int) -> float:
    """Return seconds for a round of one cell on ``rows`` training rows by the model."""
    gflops = GFLOPS if cell.options.get("device", "cpu") == "cpu" else DEVICE_GFLOPS
    work = rows * cell.network.flops_per_example / (gflops * 1e9)
    steps = -(-rows // cell.batch) * STEP
    return START + (1 + cell.epochs + PASSES) * (work + steps)


def fitted(plan: Plan, budget: float, one_round: float) -> Plan:
    """Return the plan with as many rounds as fit into ``budget`` seconds, 1 at least, with a note that says so."""
    rounds = max(1, int(budget / one_round)) if one_round else plan.rounds
    each, whole = spoken(one_round), spoken(budget)
    if one_round > budget:
        note = f"even one round takes about {each}, more than the budget of {whole}"
    else:
        note = f"{rounds} {'round' if rounds == 1 else 'rounds'} of about {each} fit the budget of {whole}"
    return plan.with_rounds(rounds, note)
