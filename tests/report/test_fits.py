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
    found = fit(times({n: 0.2 + 0.8 / n for n in COUNTS}))
    assert found is not None
    assert found.fraction == pytest.approx(0.8)
    assert found.amdahl(32) == pytest.approx(0.2 + 0.8 / 32)
    assert found.error < 1e-9


def test_the_universal_scalability_law_is_found_again() -> None:
    sigma, kappa = 0.05, 0.002
    found = fit(times({n: 3 * (1 + sigma * (n - 1) + kappa * n * (n - 1)) / n for n in COUNTS}))
    assert found is not None
    assert (found.single, found.sigma, found.kappa) == pytest.approx((3, sigma, kappa))
    assert found.best_count == pytest.approx(((1 - sigma) / kappa) ** 0.5)
    assert found.scalability(8) == pytest.approx(3 * (1 + sigma * 7 + kappa * 56) / 8)


def test_the_interval_holds_the_true_parallel_fraction_and_widens_with_noise() -> None:
    widths = []
    for noise in (0.005, 0.05):
        found = fit(times({n: 0.1 + 0.9 / n for n in COUNTS}, noise=noise))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= 0.9 <= found.high
        widths.append(found.high - found.low)
    assert widths[1] > 3 * widths[0]


def test_no_fit_from_two_worker_counts_and_no_interval_from_two_rounds() -> None:
    assert fit(times({1: 1.0, 2: 0.5})) is None
    few = fit(times({1: 1.0, 2: 0.6, 4: 0.4}, rounds=2))
    assert few is not None
    assert (few.low, few.high) == (None, None)


def test_nothing_is_negative_where_more_workers_are_slower_or_faster_than_ideal() -> None:
    for seconds in ({1: 1.0, 2: 2.0, 4: 4.0}, {1: 1.0, 2: 0.4, 4: 0.1}):
        found = fit(times(seconds))
        assert found is not None
        assert 0 <= found.fraction <= 1
        assert min(found.serial, found.parallel, found.single, found.sigma, found.kappa) >= 0


@pytest.mark.parametrize("seconds", [(1.0, 0.6, 0.4), (1.0, 2.0, 4.0), (1.0, 0.4, 0.1), (1.0, 1.0, 1.0)])
def test_many_fits_at_once_are_those_made_one_by_one(seconds: tuple[float, ...]) -> None:
    counts = (1, 2, 4)
    one = fit(times(dict(zip(counts, seconds, strict=True))))
    assert one is not None
    many = fits._fractions(counts, np.array([seconds, seconds]))
    assert many == pytest.approx(one.fraction)
