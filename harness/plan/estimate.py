"""How long a plan will take: from earlier times if there are any, else from a rough model.

The model only has to tell minutes from hours. Earlier times are those of rows with the same settings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.plan.cell import Cell
from harness.plan.model import Plan
from harness.study.units import spoken

Earlier = Callable[[Cell], float | None]
"""Returns the seconds that one round of this cell took before, or ``None``."""

START = 1.5
"""Seconds to start a process, to import a library and to give the memory back."""
GFLOPS = 20.0
"""The speed of one core on large batches, a low guess for present machines and libraries."""
DEVICE_GFLOPS = 4000.0
"""The speed of a device, a low guess too."""
STEP = 50e-6
"""Seconds that every batch costs whatever its size, for Python, a barrier or a launch."""
PASSES = 1.5
"""Work besides the timed epochs, in epochs: evaluation and the comparison with the reference."""


@dataclass(frozen=True)
class Duration:
    """The seconds of one round for every cell, in the plan's order; ``known`` counts those from earlier times."""

    seconds: tuple[float, ...]
    known: int

    @property
    def round(self) -> float:
        """Seconds for one round of all cells."""
        return sum(self.seconds)


def nothing_earlier(_cell: Cell) -> float | None:
    """Return ``None``: no cell has an earlier time."""
    return None


def estimate(plan: Plan, rows: Callable[[Cell], int], earlier: Earlier = nothing_earlier) -> Duration:
    """Return what one round of every cell will take, at most its time limit; ``rows`` gives a cell's training rows."""
    before = [earlier(cell) for cell in plan.cells]
    pairs = zip(plan.cells, before, strict=True)
    seconds = [modelled(cell, rows(cell)) if measured is None else measured for cell, measured in pairs]
    limited = [min(duration, cell.time_limit) for duration, cell in zip(seconds, plan.cells, strict=True)]
    return Duration(tuple(limited), sum(measured is not None for measured in before))


def modelled(cell: Cell, rows: int) -> float:
    """Return the seconds of one round of a cell with ``rows`` training rows, by the model."""
    gflops = GFLOPS if cell.options.get("device", "cpu") == "cpu" else DEVICE_GFLOPS
    work = rows * cell.network.flops_per_example / (gflops * 1e9)
    steps = -(-rows // cell.batch) * STEP
    return START + (1 + cell.epochs + PASSES) * (work + steps)


def fitted(plan: Plan, budget: float, one_round: float) -> Plan:
    """Return the plan with as many rounds as fit into ``budget`` seconds, at least one, and a note that says so."""
    rounds = max(1, int(budget / one_round)) if one_round else plan.rounds
    each, whole = spoken(one_round), spoken(budget)
    if one_round > budget:
        note = f"even one round takes about {each}, more than the budget of {whole}"
    else:
        note = f"{rounds} {'round' if rounds == 1 else 'rounds'} of about {each} fit the budget of {whole}"
    return plan.with_rounds(rounds, note)
