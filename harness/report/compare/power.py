"""The smallest change that a comparison finds in 8 of 10 cases: all of its rules are applied to drawn samples.

A cell is called slower only if its change is sure, if its interval excludes 1, and if both measures of its size lie
outside the band. Each of the three moves with the size of the change. So every drawn run of equals has one shift from
which on it would be called slower, and the change that is found in 8 of 10 cases is the one that exceeds 8 of 10 of
these shifts. Runs are drawn either from measured noise, or from normal noise as large as a comparison itself has seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from harness.report.compare.evidence import FEWEST, POWER, LogRatio, freedom_of, quantile, trimmed, welch
from harness.report.statistics import STUDENT, tails

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
DRAWN = 500
"""How many runs are drawn."""
RESAMPLES = 400
"""Resamples of each drawn run for the interval of its median; their noise evens out over the runs."""


@dataclass(frozen=True)
class Rules:
    """By what one cell of a comparison is judged: its band, and the level that the correction leaves to it."""

    band: float
    level: float


def found(shifts: Array) -> float:
    """Return the change, as a share of the time, that is found in 8 of 10 runs with these shifts."""
    return math.expm1(float(np.quantile(shifts, POWER, method="higher")))


def paired_shifts(logs: Array, rules: Rules) -> Array:
    """Return the log ratio from which on each row of log ratios is called slower; infinite with too few rounds."""
    count = logs.shape[-1]
    if count < FEWEST:
        return np.full(len(logs), np.inf)
    centre, error = trimmed(logs)
    middle = np.median(logs, axis=-1)
    if count in STUDENT:
        low = logs.mean(axis=-1) - STUDENT[count] * logs.std(axis=-1, ddof=1) / count**0.5
    else:
        low = np.quantile(_medians(logs, 0), tails(count)[0], axis=-1)
    reach = error * quantile(rules.level / 2, freedom_of(count))
    return _shifts(centre, reach, middle, low, rules)


def unpaired_shifts(above: Array, below: Array, rules: Rules) -> Array:
    """Return the same for rows of logarithms of times of both sides that were not measured in pairs."""
    counts = above.shape[-1], below.shape[-1]
    fewest = min(counts)
    if fewest < FEWEST:
        return np.full(len(above), np.inf)
    centres, errors = zip(trimmed(above), trimmed(below), strict=True)
    error, freedom = welch(errors, counts)
    middle = np.median(above, axis=-1) - np.median(below, axis=-1)
    if fewest in STUDENT:
        variances = sum(side.var(axis=-1, ddof=1) / side.shape[-1] for side in (above, below))
        low = above.mean(axis=-1) - below.mean(axis=-1) - STUDENT[fewest] * np.sqrt(variances)
    else:
        low = np.quantile(_medians(above, 0) - _medians(below, 1), tails(fewest)[0], axis=-1)
    reach: Array = error * np.array([quantile(rules.level / 2, round(float(each), 1)) for each in freedom])
    return _shifts(centres[0] - centres[1], reach, middle, low, rules)


def _shifts(centre: Array, reach: Array, middle: Array, low: Array, rules: Rules) -> Array:
    outside = math.log1p(rules.band) - np.minimum(middle, centre)
    shifts: Array = np.maximum.reduce([outside, reach - centre, -np.minimum(low, middle)])
    return shifts


def _medians(logs: Array, seed: int) -> Array:
    """Return the medians of resamples of each row: in sorted rows they stand at the middle indices of a resample."""
    count = logs.shape[-1]
    ordered = np.sort(logs, axis=-1)
    chosen = np.sort(np.random.default_rng(seed).integers(0, count, (RESAMPLES, count)), axis=-1)
    halves: Array = (ordered[:, chosen[:, (count - 1) // 2]] + ordered[:, chosen[:, count // 2]]) / 2
    return halves


def shows(evidence: LogRatio, rules: Rules, seed: int = 0) -> float:
    """Return the change that as many rounds with the noise of this evidence would show in 8 of 10 cases.

    How large the noise is, few rounds do not tell exactly. So it is drawn too, as Student's t distribution takes it.
    """
    rng = np.random.default_rng(seed)
    spread = evidence.error * evidence.rounds**0.5
    plausible = spread * np.sqrt(evidence.freedom / rng.chisquare(evidence.freedom, (DRAWN, 1)))
    return found(paired_shifts(plausible * rng.standard_normal((DRAWN, evidence.rounds)), rules))
