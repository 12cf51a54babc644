from __future__ import annotations

import numpy as np
import pytest

from harness.report import fits
from harness.report.fits import fit

COUNTS = (1, 2, 4, 8, 16)
ROUNDS = 6


def times(seconds: dict[int, float], *, noise: float = 0.0, rounds: int = ROUNDS) -> dict[int, dict[int, float]]:
    luck = np.random.default_rng(1)
    return {
        count: {turn: value * float(np.exp(luck.normal(0, noise))) for turn in range(rounds)}
        for count, value in seconds.items()
    }


def test_amdahls_law_is_found_again() -> None:
    fitted = fit(times({n: 0.2 + 0.8 / n for n in COUNTS}))
    assert fitted is not None
    assert fitted.fraction == pytest.approx(0.8)
    assert fitted.amdahl(32) == pytest.approx(0.2 + 0.8 / 32)
    assert fitted.error < 1e-9


def test_the_universal_scalability_law_is_found_again() -> None:
    sigma, kappa = 0.05, 0.002
    fitted = fit(times({n: 3 * (1 + sigma * (n - 1) + kappa * n * (n - 1)) / n for n in COUNTS}))
    assert fitted is not None
    assert (fitted.single, fitted.sigma, fitted.kappa) == pytest.approx((3, sigma, kappa))
    assert fitted.best_count == pytest.approx(((1 - sigma) / kappa) ** 0.5)
    assert fitted.scalability(8) == pytest.approx(3 * (1 + sigma * 7 + kappa * 56) / 8)


def test_the_interval_holds_the_true_parallel_fraction_and_widens_with_noise() -> None:
    widths = []
    for noise in (0.005, 0.05):
        fitted = fit(times({n: 0.1 + 0.9 / n for n in COUNTS}, noise=noise))
        assert fitted is not None
        assert fitted.low is not None
        assert fitted.high is not None
        assert fitted.low <= 0.9 <= fitted.high
        widths.append(fitted.high - fitted.low)
    assert widths[1] > 3 * widths[0]


def test_no_fit_from_two_worker_counts_and_no_interval_from_two_rounds() -> None:
    assert fit(times({1: 1.0, 2: 0.5})) is None
    few = fit(times({1: 1.0, 2: 0.6, 4: 0.4}, rounds=2))
    assert few is not None
    assert (few.low, few.high) == (None, None)


def test_nothing_is_negative_where_more_workers_are_slower_or_faster_than_ideal() -> None:
    for seconds in ({1: 1.0, 2: 2.0, 4: 4.0}, {1: 1.0, 2: 0.4, 4: 0.1}):
        fitted = fit(times(seconds))
        assert fitted is not None
        assert 0 <= fitted.fraction <= 1
        assert min(fitted.serial, fitted.parallel, fitted.single, fitted.sigma, fitted.kappa) >= 0


@pytest.mark.parametrize("seconds", [(1.0, 0.6, 0.4), (1.0, 2.0, 4.0), (1.0, 0.4, 0.1), (1.0, 1.0, 1.0)])
def test_many_fits_at_once_are_those_made_one_by_one(seconds: tuple[float, ...]) -> None:
    counts = (1, 2, 4)
    single = fit(times(dict(zip(counts, seconds, strict=True))))
    assert single is not None
    many = fits._fractions(counts, np.array([seconds, seconds]))
    assert many == pytest.approx(single.fraction)
