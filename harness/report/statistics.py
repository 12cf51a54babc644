"""How sure a time is, or a ratio of times: medians with intervals that contain the truth in 95 % of cases.

One round is one sample, because a round is one process. The epochs of one process share its memory layout and other
accidents, so they are not independent samples; only their median is used here.

From six samples on, the interval is the percentile bootstrap of the median. Its tails are widened by as much as
Student's t is wider than the normal distribution with that many samples (T. Hesterberg, What Teachers Should Know
About the Bootstrap, 2015); without that, it covers 87 % instead of 95 % with seven samples. We do not use BCa, because
its acceleration comes from a jackknife, which is not consistent for a median. With fewer than six samples, no bootstrap
of a median can cover 95 %: it never leaves the range of the samples, which covers the true median with a probability
of 1 - 2^(1 - n), 75 % for three. There we use Student's t of the logarithms, which is wider, and right if noise
multiplies. With fewer than three samples there is no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np

LEVEL = 0.95
RESAMPLES = 4000
K = TypeVar("K", int, tuple[str, int, int])
"""What tells rounds apart: a plain number, or a ``Moment``: the run, the round and a number."""
NORMAL = NormalDist()
STUDENT: Mapping[int, float] = {3: 4.302653, 4: 3.182446, 5: 2.776445}
"""Two-sided 95 % quantiles of Student's t with n - 1 degrees of freedom, by n."""


@dataclass(frozen=True)
class Estimate:
    """A median with its interval; ``low`` and ``high`` are ``None`` if there are too few samples for an interval."""

    value: float
    low: float | None
    high: float | None
    count: int

    def excludes(self, value: float) -> bool:
        """Return whether there is an interval and ``value`` lies outside it: only then may a claim be made."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high


def estimate(samples: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return the median of positive samples, one for each round, with its interval; the result is reproducible."""
    logs = _logs(samples)
    value, count = float(np.median(logs)), len(logs)
    if count < min(STUDENT):
        return Estimate(_exp(value), None, None, count)
    low, high = _student(logs) if count in STUDENT else _bootstrap(logs, seed)
    return Estimate(_exp(value), _exp(min(low, value)), _exp(max(high, value)), count)


def shared(above: Mapping[K, float], below: Mapping[K, float]) -> tuple[K, ...]:
    """Return the rounds that both have, in order. Everything that is paired is paired by this function."""
    return tuple(sorted(above.keys() & below.keys()))


def ratio(above: Mapping[K, float], below: Mapping[K, float], *, seed: int = 0) -> Estimate | None:
    """Return the median of ``above / below`` over the rounds that both have; ``None`` if they share no round."""
    rounds = shared(above, below)
    if not rounds:
        return None
    return estimate([above[turn] / below[turn] for turn in rounds], seed=seed)


def quotient(above: Sequence[float], below: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return the median of ``above`` divided by that of ``below``, for samples that are not pairs.

    The interval is made as in ``estimate``, but each side is resampled by itself. If one side has fewer than six
    samples, Student's t of the logarithms is used, with the degrees of freedom of the smaller side.
    """
    above_logs, below_logs = _logs(above), _logs(below)
    value, count = float(np.median(above_logs) - np.median(below_logs)), min(len(above_logs), len(below_logs))
    if count < min(STUDENT):
        return Estimate(_exp(value), None, None, count)
    if count in STUDENT:
        variances = (np.var(logs, ddof=1) / len(logs) for logs in (above_logs, below_logs))
        reach = STUDENT[count] * float(sum(variances)) ** 0.5
        middle = float(np.mean(above_logs) - np.mean(below_logs))
        low, high = middle - reach, middle + reach
    else:
        drawn = _medians(above_logs, seed) - _medians(below_logs, seed + 1)
        low, high = np.quantile(drawn, tails(count))
    return Estimate(_exp(value), _exp(min(float(low), value)), _exp(max(float(high), value)), count)


def plausible(logs: Any, count: int, seed: int) -> Any:
    """Return ``(count, k)`` values that the true means of k logarithms may have, by ``(rounds, k)`` samples of them.

    They follow Student's t distribution around the means of the samples, with what the k have in common in a round. So
    whatever is computed of them has an interval as wide as so few rounds deserve: of three rounds, a bootstrap would
    cover 77 % instead of 95 %.
    """
    rng = np.random.default_rng(seed)
    rounds = len(logs)
    means = np.mean(logs, axis=0)
    scale = np.sqrt((rounds - 1) / rng.chisquare(rounds - 1, (count, 1)))
    return means + scale * (rng.standard_normal((count, rounds)) @ (logs - means)) / (rounds * (rounds - 1)) ** 0.5


def median(samples: Sequence[float]) -> float:
    """Return the median: the middle sample, or the mean of the two middle samples."""
    return float(np.median(samples))


def _logs(samples: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.all(np.isfinite(values) & (values > 0)):
        raise ValueError(f"samples={list(samples)!r:.80}: give at least one, all finite and greater than 0")
    return np.log(values)


def _student(logs: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    count = len(logs)
    reach = STUDENT[count] * float(np.std(logs, ddof=1)) / count**0.5
    mean = float(np.mean(logs))
    return mean - reach, mean + reach


def _bootstrap(logs: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int) -> tuple[float, float]:
    low, high = np.quantile(_medians(logs, seed), tails(len(logs)))
    return float(low), float(high)


def _medians(logs: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int) -> Any:
    chosen = np.random.default_rng(seed).integers(0, len(logs), (RESAMPLES, len(logs)))
    return np.median(logs[chosen], axis=1)


def tails(count: int) -> tuple[float, float]:
    """Return the two shares of the resampled medians of so many samples between which the interval lies."""
    tail = NORMAL.cdf(-_student_quantile(count - 1) * (count / (count - 1)) ** 0.5)
    return tail, 1 - tail


def _student_quantile(freedom: int) -> float:
    """Return the two-sided quantile of Student's t by its series; 5 degrees of freedom or more give three digits."""
    z = NORMAL.inv_cdf((1 + LEVEL) / 2)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _exp(value: float) -> float:
    return float(np.exp(value))
