"""How the time falls with the number of workers: Amdahl's law and the Universal Scalability Law, fitted to the rounds.

Written for the time instead of the speedup, both laws are linear in their unknowns: ``T(n) = a + b / n`` with the
parallel fraction ``b / (a + b)``, and ``T(n) = c (1 + sigma (n - 1) + kappa n (n - 1)) / n`` with contention ``sigma``
and coherence ``kappa`` (N. Gunther). A small least-squares fit of the relative errors finds them without start values;
none may be negative. The interval comes from fits to times as the rounds make them plausible (``plausible``), because
one round is one sample; ``docs/trust.md`` has its measured coverage.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from harness.report.statistics import LEVEL, K, plausible, shared

Array = np.ndarray[Any, np.dtype[np.float64]]
LEAST_COUNTS, LEAST_ROUNDS = 3, 3
"""How many worker counts a fit needs, and how many rounds its interval needs."""
REFITS = 2000
Times: TypeAlias = Mapping[int, Mapping[K, float]]
"""Seconds per epoch by number of workers and round."""


@dataclass(frozen=True)
class Fit:
    """Both laws for one backend and batch."""

    counts: tuple[int, ...]
    serial: float
    """Seconds that do not shrink with more workers, by Amdahl's law."""
    parallel: float
    """Seconds of one worker that are divided among all workers, by Amdahl's law."""
    low: float | None
    high: float | None
    """Ends of the 95 % interval of the parallel fraction."""
    single: float
    """Seconds with one worker, by the Universal Scalability Law."""
    sigma: float
    kappa: float
    error: float
    """The largest relative distance of a median from Amdahl's law."""

    @property
    def fraction(self) -> float:
        """The parallel fraction by Amdahl's law."""
        return self.parallel / (self.serial + self.parallel)

    @property
    def best_count(self) -> float | None:
        """The number of workers with the least time by the Universal Scalability Law; ``None`` if there is none."""
        return ((1 - self.sigma) / self.kappa) ** 0.5 if self.kappa > 0 and self.sigma < 1 else None

    def amdahl(self, workers: float) -> float:
        """Return the seconds that Amdahl's law gives."""
        return self.serial + self.parallel / workers

    def scalability(self, workers: float) -> float:
        """Return the seconds that the Universal Scalability Law gives."""
        return self.single * (1 + self.sigma * (workers - 1) + self.kappa * workers * (workers - 1)) / workers


def fit(times: Times[K]) -> Fit | None:
    """Return the fit; ``None`` for fewer than three worker counts."""
    counts = sorted(count for count, rounds in times.items() if rounds)
    if len(counts) < LEAST_COUNTS:
        return None
    middles = np.array([np.median(list(times[count].values())) for count in counts])
    serial, parallel = _solved(_amdahl(counts), middles)
    single, queue, talk = _solved(_scalability(counts), middles)
    low, high = _interval(counts, times)
    given = np.array([serial + parallel / count for count in counts])
    error = float(np.max(np.abs(given / middles - 1)))
    sigma, kappa = (queue / single, talk / single) if single > 0 else (0.0, 0.0)
    return Fit(tuple(counts), serial, parallel, low, high, single, sigma, kappa, error)


def _amdahl(counts: Sequence[int]) -> Array:
    n = np.array(counts, dtype=np.float64)
    return np.stack([np.ones_like(n), 1 / n], axis=1)


def _scalability(counts: Sequence[int]) -> Array:
    n = np.array(counts, dtype=np.float64)
    return np.stack([1 / n, (n - 1) / n, n - 1], axis=1)


def _solved(terms: Array, times: Array) -> tuple[float, ...]:
    """Return the weights, none negative, with the least relative errors; every subset of the terms is tried."""
    scaled, ones = terms / times[:, None], np.ones(len(times))
    width = terms.shape[1]
    best: tuple[float, tuple[float, ...]] = (np.inf, (0.0,) * width)
    for size in range(1, width + 1):
        for chosen in map(list, itertools.combinations(range(width), size)):
            solved = np.linalg.lstsq(scaled[:, chosen], ones, rcond=None)[0]
            if np.all(solved >= 0):
                weights = np.zeros(width)
                weights[chosen] = solved
                rest = float(np.sum((scaled @ weights - ones) ** 2))
                best = min(best, (rest, tuple(map(float, weights))))
    return best[1]


def _interval(counts: Sequence[int], times: Times[K]) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the parallel fraction, by the rounds that all counts share."""
    common = dict(times[counts[0]])
    for count in counts[1:]:
        common = dict.fromkeys(shared(common, times[count]), 0.0)
    rounds = sorted(common)
    if len(rounds) < LEAST_ROUNDS:
        return None, None
    logs = np.log([[times[count][turn] for count in counts] for turn in rounds])
    fractions = _fractions(counts, np.exp(plausible(logs, REFITS, 0)))
    low, high = np.quantile(fractions, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _fractions(counts: Sequence[int], times: Array) -> Array:
    """Return the parallel fraction of each row of times, all at once, from the normal equations of two unknowns.

    If one of the two would be negative, the best fit without negatives has it at zero, so the fraction is 0 or 1.
    """
    scaled = _amdahl(counts)[None, :, :] / times[:, :, None]
    products = np.einsum("rni,rnj->rij", scaled, scaled)
    serial, parallel = np.linalg.solve(products, scaled.sum(axis=1)[:, :, None])[:, :, 0].T
    return np.asarray(np.clip(parallel / (serial + parallel), 0, 1), dtype=np.float64)
