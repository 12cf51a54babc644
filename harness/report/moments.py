"""Which samples belong together: a round of a cell is paired only with the same round of the same run.

What one run measured in one round shares the machine's disturbances, so the ratio of two such times is sure. Rounds of
different runs, perhaps of different days, have nothing in common but their number. The report, ``compare`` and the gate
all take their times from here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from harness.report.statistics import median
from harness.runner.row import Row
from harness.store import Stored

Moment: TypeAlias = tuple[str, int, int]
"""The run, the round, and a number that is 0 unless one run measured several equivalent cells in that round."""


def times_by_moment(rows: Iterable[Stored]) -> dict[Moment, float]:
    """Return the seconds per epoch of each round: the median of its epochs; nothing at all if any round is wrong.

    A round whose training could not be compared with the reference has no time here: it proves nothing.
    """
    ordered = sorted(rows, key=lambda stored: stored.row.cell.key)
    if any(stored.row.state == "wrong" for stored in ordered):
        return {}
    counts: Counter[tuple[str, int]] = Counter()
    times: dict[Moment, float] = {}
    for stored in ordered:
        time = _time(stored.row)
        if time is not None:
            moment = stored.run, stored.row.round
            times[*moment, counts[moment]] = time
            counts[moment] += 1
    return times


def comparable(row: Row) -> bool:
    """Return whether rounding left something of this row's training to compare with the reference."""
    parity = row.receipt.get("parity")
    return not (isinstance(parity, Mapping) and parity.get("verdict") == "not comparable")


def valid_time(row: Row) -> float | None:
    """Return the median epoch of a round; ``None`` if the round gave no valid time."""
    if row.state != "ok" or not row.epoch_seconds:
        return None
    time = median(row.epoch_seconds)
    return time if math.isfinite(time) and time > 0 else None


def _time(row: Row) -> float | None:
    """Return the time of a round that may be compared, ranked and fitted."""
    return valid_time(row) if comparable(row) else None
