"""The thresholds of ``compare --gate``: they follow from the calibration of the machine and its noise."""

from __future__ import annotations

from dataclasses import replace

from harness.errors import RequestError
from harness.report.compare.error_rate import LEVEL
from harness.report.compare.sides import Side
from harness.report.compare.verdicts import Thresholds
from harness.session.gate.calibration import Calibration

WORST = 0.09
"""If more drawn runs of equals than this call a change, the level is lowered; 5 % are expected, the rest is chance."""


def gated(side: Side, thresholds: Thresholds) -> tuple[Thresholds, float, tuple[str, ...]]:
    """Return thresholds, level and notes for rows of the machine that measured ``side``.

    No band is narrower than the smallest change that the machine sees. If equals were called changed more often than
    promised, the level is lowered in proportion.
    """
    if len(side.machines) != 1:
        raise RequestError(f"{side.word}: --gate needs the rows of one machine, not {len(side.machines)}")
    (name,) = side.machines
    calibration = Calibration.load(name)
    if calibration.smallest is None:
        raise RequestError(
            f"{calibration}: such a gate guards nothing; calibrate it on a quiet machine or with more rounds"
        )
    level = LEVEL if calibration.alarm_rate <= WORST else LEVEL * LEVEL / calibration.alarm_rate
    notes = [str(calibration)]
    fewest = min(_rounds(side).values(), default=0)
    if fewest < calibration.rounds:
        needed = calibration.rounds
        notes.append(f"{side.word} has cells of {fewest} rounds, fewer than the {needed} of the calibration")
    return replace(thresholds, least=calibration.smallest), level, tuple(notes)


def _rounds(side: Side) -> dict[str, int]:
    counts: dict[str, int] = {}
    for stored in side.rows:
        counts[stored.row.cell.key] = counts.get(stored.row.cell.key, 0) + 1
    return counts
