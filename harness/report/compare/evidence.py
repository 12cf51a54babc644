"""``LogRatio``: what the samples of one cell say about the logarithm of a ratio of times, and how sure that is.

The measure is a trimmed mean of logarithms with the error of Yuen (The two-sample trimmed t for unequal population
variances, Biometrika 1974), compared with Student's t. The reasons:

- Logarithms, because noise on times multiplies, and because then A over B is as far from 1 as B over A.
- From ten samples on, a tenth is trimmed at each end. A burst of another process's work then costs little, where a
  plain t test would be blinded by the spike. We use one degree of freedom less than Yuen, because otherwise the far
  tails, where a correction for many cells looks, are a fifth too full at ten to thirty samples.
- No permutation or rank test: with n pairs its p-value cannot go below 2^(1-n). Five rounds could then never show
  anything, not even a threefold slowdown, and twenty cells at once would need ten rounds.
- No bootstrap for the p-value: it cannot say anything about tails that are thinner than its samples.

With fewer than three rounds there is no evidence at all.

Student's t distribution is computed here, because the core depends on NumPy, which lacks it, and not on SciPy. The
tail is the incomplete beta function by its continued fraction (Lentz's method; Numerical Recipes, 6.4).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

FEWEST = 3
"""With fewer rounds, nothing is said."""
MOST = 1000
"""More rounds than this are never advised."""
POWER = 0.8
"""The probability with which the advised number of rounds should decide."""
MEDIAN = 1.25
"""The error of a median divided by that of a mean, for normal noise."""
TINY = 1e-300
"""Stands for 0 in the denominators of Lentz's method."""
ENOUGH = 1e-14
"""The continued fraction stops when a term changes it by less than this share."""
MOST_TERMS = 500


@dataclass(frozen=True)
class LogRatio:
    """Centre and standard error of a log ratio.

    ``rounds`` is the number of pairs, or for unpaired samples the number on the smaller side.
    """

    centre: float
    error: float
    freedom: float
    rounds: int

    def p_change(self) -> float:
        """Return the two-sided probability of such samples if nothing changed."""
        return min(1.0, 2 * self._tail(abs(self.centre)))

    def p_same(self, band: float) -> float:
        """Return the probability of such samples if the log ratio is ``band`` or more away from 0 (two tests)."""
        return self._tail(band - abs(self.centre))

    def rounds_for(self, band: float, level: float) -> int | None:
        """Return about how many rounds would decide if the estimate so far is the truth; ``None`` if too many.

        Outside the band, the change must be told from no change, and its size from the edge of the band, by the median
        too. Inside the band, it must be told from a change as large as the band.
        """
        away = abs(self.centre)
        beyond = away - band
        distance, tails = (away, level / 2) if beyond > 0 else (-beyond, level)
        spread = self.error * self.rounds**0.5

        def decides(rounds: int) -> int:
            error, freedom = spread / rounds**0.5, freedom_of(rounds)
            clear = beyond <= 0 or error * MEDIAN * quantile(1 - POWER, freedom) <= beyond
            return int(clear and error * _reach(tails, freedom) <= distance)

        needed = bisect_left(range(FEWEST, MOST + 1), 1, key=decides) + FEWEST
        return needed if needed <= MOST else None

    def _tail(self, distance: float) -> float:
        if self.error == 0:
            return float(distance <= 0)
        return tail(distance / self.error, self.freedom)


def paired(logs: Sequence[float]) -> LogRatio | None:
    """Return the evidence of log ratios, one for each pair; ``None`` if there are too few."""
    if len(logs) < FEWEST:
        return None
    centre, error = trimmed(logs)
    return LogRatio(float(centre), float(error), freedom_of(len(logs)), len(logs))


def unpaired(above: Sequence[float], below: Sequence[float]) -> LogRatio | None:
    """Return the evidence of two independent sets of logarithms of times (Welch's degrees of freedom)."""
    if min(len(above), len(below)) < FEWEST:
        return None
    (centre_above, error_above), (centre_below, error_below) = trimmed(above), trimmed(below)
    error, freedom = welch((error_above, error_below), (len(above), len(below)))
    return LogRatio(float(centre_above - centre_below), float(error), float(freedom), min(len(above), len(below)))


def welch(errors: Sequence[Any], counts: Sequence[int]) -> tuple[Any, Any]:
    """Return the error of a difference of two trimmed means, and Welch's degrees of freedom; errors may be arrays."""
    squares = [np.square(np.asarray(error, dtype=np.float64)) for error in errors]
    freedoms = [freedom_of(count) for count in counts]
    both = squares[0] + squares[1]
    parts = sum(square**2 / freedom for square, freedom in zip(squares, freedoms, strict=True))
    known = np.asarray(parts) > 0
    freedom = np.where(known, both**2 / np.where(known, parts, 1), min(freedoms))
    return np.sqrt(both), freedom


def trimmed(values: Any) -> tuple[Any, Any]:
    """Return the trimmed mean and its standard error, from the winsorised deviation, along the last axis."""
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=-1)
    count = ordered.shape[-1]
    cut = _cut(count)
    winsorised = np.clip(ordered, ordered[..., cut, None], ordered[..., count - cut - 1, None])
    deviation = np.std(winsorised, ddof=1, axis=-1)
    return np.mean(ordered[..., cut : count - cut], axis=-1), deviation / ((1 - 2 * cut / count) * count**0.5)


def _cut(count: int) -> int:
    return count // 10


def freedom_of(count: int) -> int:
    """Return the degrees of freedom of so many samples after trimming."""
    cut = _cut(count)
    return count - 2 * cut - 1 - (cut > 0)


def _reach(above: float, freedom: float) -> float:
    return quantile(above, freedom) + quantile(1 - POWER, freedom)


def tail(t: float, freedom: float) -> float:
    """Return the probability of a value above ``t`` for Student's t with ``freedom`` degrees of freedom."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    above = 0.5 * _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)
    return above if t >= 0 else 1 - above


@lru_cache(maxsize=4096)
def quantile(above: float, freedom: float) -> float:
    """Return the value that is exceeded with probability ``above``, at most one half."""
    low, high = 0.0, 1.0
    while tail(high, freedom) > above:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, freedom) > above else (low, middle)
    return high


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function, by the one of its two fractions that converges fast."""
    if x in (0.0, 1.0):
        return x
    factors = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(factors) * _fraction(x, a, b) / a
    return 1 - math.exp(factors) * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            c, d = _nonzero(1 + term / c), 1 / _nonzero(1 + term * d)
            value *= c * d
        if abs(c * d - 1) < ENOUGH:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > TINY else TINY
