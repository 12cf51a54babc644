"""``Evidence``: what the samples of one cell say about the logarithm of a ratio, and how sure.

The measure is a trimmed mean of logarithms with the error of Yuen (The two-sample trimmed t for unequal population
variances, Biometrika 1974), against Student's t. Why so:

- Logarithms, because noise on times multiplies, and because then A over B is as far from 1 as B over A.
- A tenth is trimmed at each end from ten samples on: a burst of another process's work then costs little, where a
  plain t test would see nothing for the spike. One degree of freedom less than Yuen's, because without that the far
  tails, where a correction for many cells looks, are a fifth too full at ten to thirty samples.
- No permutation or rank test: with n pairs its p-value cannot go below 2^(1-n), so that five rounds could never
  show anything, not even a threefold slowdown, and twenty cells at once would need ten rounds.
- No bootstrap for the p-value: it cannot say anything about tails that are thinner than its samples.

Below three rounds there is no evidence at all.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.report.compare.student import quantile, tail

FEWEST = 3
"""Rounds below which nothing is said."""
MOST = 1000
"""Rounds beyond which a number is no advice any more."""
POWER = 0.8
"""How probable it should be that so many more rounds decide."""
MEDIAN = 1.25
"""The error of a median over that of a mean, for normal noise."""


@dataclass(frozen=True)
class Evidence:
    """Centre and standard error of the log ratio; ``rounds`` are pairs, or the samples of the smaller side."""

    centre: float
    error: float
    freedom: float
    rounds: int

    def p_change(self) -> float:
        """Return the two-sided probability of such samples where nothing changed."""
        return min(1.0, 2 * self._tail(abs(self.centre)))

    def p_same(self, band: float) -> float:
        """Return the probability of such samples where the log ratio is ``band`` or more away from 0 (two tests)."""
        return self._tail(band - abs(self.centre))

    def shows(self, level: float) -> float:
        """Return the smallest log ratio that as many rounds of such noise would show in 8 of 10 cases."""
        return self.error * _reach(level / 2, self.freedom)

    def rounds_for(self, band: float, level: float) -> int | None:
        """Return about how many rounds would decide, if what was seen so far is the truth; ``None``: too many.

        Outside the band a change has to be told from none, and its size from the band's edge, by the median too;
        inside, it has to be told from a change as large as the band.
        """
        away = abs(self.centre)
        beyond = away - band
        distance, tails = (away, level / 2) if beyond > 0 else (-beyond, level)
        spread = self.error * self.rounds**0.5

        def decides(rounds: int) -> int:
            error, freedom = spread / rounds**0.5, _freedom(rounds)
            clear = beyond <= 0 or error * MEDIAN * quantile(1 - POWER, freedom) <= beyond
            return int(clear and error * _reach(tails, freedom) <= distance)

        found = bisect_left(range(FEWEST, MOST + 1), 1, key=decides) + FEWEST
        return found if found <= MOST else None

    def _tail(self, distance: float) -> float:
        if self.error == 0:
            return float(distance <= 0)
        return tail(distance / self.error, self.freedom)


def paired(logs: Sequence[float]) -> Evidence | None:
    """Return the evidence of log ratios, one a pair; ``None`` where there are too few."""
    if len(logs) < FEWEST:
        return None
    centre, error = _trimmed(logs)
    return Evidence(centre, error, _freedom(len(logs)), len(logs))


def unpaired(above: Sequence[float], below: Sequence[float]) -> Evidence | None:
    """Return the evidence of two independent sets of logarithms of times (Welch's degrees of freedom)."""
    if min(len(above), len(below)) < FEWEST:
        return None
    (one, error_one), (other, error_other) = _trimmed(above), _trimmed(below)
    squares = error_one**2, error_other**2
    freedoms = _freedom(len(above)), _freedom(len(below))
    parts = sum(square**2 / freedom for square, freedom in zip(squares, freedoms, strict=True))
    freedom = sum(squares) ** 2 / parts if parts else min(freedoms)
    return Evidence(one - other, math.sqrt(sum(squares)), freedom, min(len(above), len(below)))


def _trimmed(values: Sequence[float]) -> tuple[float, float]:
    """Return the trimmed mean and its standard error, from the winsorised deviation."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    count, cut = len(ordered), _cut(len(ordered))
    winsorised = np.clip(ordered, ordered[cut], ordered[count - cut - 1])
    deviation = float(np.std(winsorised, ddof=1))
    return float(np.mean(ordered[cut : count - cut])), deviation / ((1 - 2 * cut / count) * count**0.5)


def _cut(count: int) -> int:
    return count // 10


def _freedom(count: int) -> int:
    cut = _cut(count)
    return count - 2 * cut - 1 - (cut > 0)


def _reach(above: float, freedom: float) -> float:
    return quantile(above, freedom) + quantile(1 - POWER, freedom)
