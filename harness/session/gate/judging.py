"""``compare --gate``: a machine's calibration turned into thresholds that its noise can keep."""

from __future__ import annotations

from dataclasses import replace

from harness.errors import RequestError
from harness.report.compare.judging import LEVEL
from harness.report.compare.sides import Side
from harness.report.compare.thresholds import Thresholds
from harness.session.gate.calibration import Calibration

WORST = 0.09
"""Drawn runs of equals that may call a change before the level is tightened: five in a hundred, and chance."""


def gated(side: Side, thresholds: Thresholds) -> tuple[Thresholds, float, tuple[str, ...]]:
    """Return thresholds, level and notes for rows of the machine that measured ``side``.

    No band is narrower than the smallest change that the machine sees, and where equals were called changed more
    often than promised, the level is lowered by as much.
    """
    if len(side.machines) != 1:
        raise RequestError(f"{side.word}: --gate needs the rows of one machine, not {len(side.machines)}")
    (name,) = side.machines
    found = Calibration.load(name)
    if found.smallest is None:
        raise RequestError(f"{found}: such a gate guards nothing; calibrate it on a quiet machine or with more rounds")
    level = LEVEL if found.alarm_rate <= WORST else LEVEL * LEVEL / found.alarm_rate
    notes = [str(found)]
    fewest = min(_rounds(side).values(), default=0)
    if fewest < found.rounds:
        notes.append(f"{side.word} has cells of {fewest} rounds, fewer than the {found.rounds} of the calibration")
    return replace(thresholds, least=found.smallest), level, tuple(notes)


def _rounds(side: Side) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in side.rows:
        counts[one.row.cell.key] = counts.get(one.row.cell.key, 0) + 1
    return counts
