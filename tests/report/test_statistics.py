from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.statistics import STUDENT, _student_quantile, estimate, median, ratio

times = st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=40)


@given(times)
def test_the_interval_contains_the_median_and_the_median_is_a_median(samples: list[float]) -> None:
    estimated = estimate(samples)
    assert sum(sample <= estimated.value * (1 + 1e-9) for sample in samples) >= len(samples) / 2
    assert sum(sample >= estimated.value * (1 - 1e-9) for sample in samples) >= len(samples) / 2
    if len(samples) < 3:
        assert estimated.low is estimated.high is None
    else:
        assert estimated.low <= estimated.value <= estimated.high


@given(times, st.randoms())
def test_the_order_of_the_samples_does_not_matter(samples: list[float], random: Random) -> None:
    shuffled = list(samples)
    random.shuffle(shuffled)
    assert estimate(shuffled).value == pytest.approx(estimate(samples).value)


@given(times, st.floats(1e-3, 1e3))
def test_a_slower_clock_scales_the_estimate_and_its_interval(samples: list[float], factor: float) -> None:
    plain, scaled = estimate(samples), estimate([sample * factor for sample in samples])
    assert scaled.value == pytest.approx(plain.value * factor, rel=1e-6)
    if plain.low is not None:
        assert (scaled.low, scaled.high) == pytest.approx((plain.low * factor, plain.high * factor), rel=1e-6)


@given(times)
def test_equal_input_gives_equal_output(samples: list[float]) -> None:
    assert estimate(samples, seed=3) == estimate(samples, seed=3)


@given(
    st.dictionaries(st.integers(1, 9), st.floats(1e-6, 1e6)), st.dictionaries(st.integers(1, 9), st.floats(1e-6, 1e6))
)
def test_a_ratio_and_its_inverse_are_each_other_s_inverse(above: dict[int, float], below: dict[int, float]) -> None:
    forward, backward = ratio(above, below), ratio(below, above)
    if forward is None:
        assert not above.keys() & below.keys()
        return
    assert forward.value == pytest.approx(1 / backward.value)
    assert forward.count == len(above.keys() & below.keys())
    if forward.low is not None and forward.count in STUDENT:
        assert forward.low == pytest.approx(1 / backward.high)


def test_a_ratio_is_paired_so_drift_that_hits_both_cancels() -> None:
    drift = dict(enumerate([1.0, 1.5, 2.0, 3.0, 5.0, 8.0]))
    paired = ratio({turn: 2 * time for turn, time in drift.items()}, drift)
    assert (paired.low, paired.value, paired.high) == pytest.approx((2, 2, 2))
    assert paired.excludes(1)


def test_two_rounds_allow_no_claim() -> None:
    assert not estimate([100.0, 101.0]).excludes(1)


@pytest.mark.parametrize("samples", [[], [0.0], [-1.0, 1.0], [math.nan, 1.0], [math.inf]])
def test_what_is_no_time_is_refused(samples: list[float]) -> None:
    with pytest.raises(ValueError, match="finite and greater than 0"):
        estimate(samples)


@pytest.mark.parametrize("noise", ["normal", "laplace", "exponential"])
@pytest.mark.parametrize("count", [3, 5, 6, 7, 9, 20])
def test_the_interval_holds_what_it_promises(count: int, noise: str) -> None:
    """Of 300 experiments with a known truth, 95 % should cover it; 92 % is three standard errors below."""
    random = np.random.default_rng(count)
    draws = getattr(random, noise)(size=(300, count))
    truth = math.log(2) if noise == "exponential" else 0.0
    covered = [not estimate(np.exp(0.05 * draw).tolist()).excludes(math.exp(0.05 * truth)) for draw in draws]
    assert np.mean(covered) >= 0.915


def test_the_interval_shrinks_as_rounds_are_added() -> None:
    samples = np.exp(0.05 * np.random.default_rng(0).normal(size=64)).tolist()
    spreads = [estimate(samples[:count]) for count in (3, 8, 64)]
    widths = [spread.high - spread.low for spread in spreads]
    assert widths == sorted(widths, reverse=True)


def test_student_s_quantile_is_the_true_one() -> None:
    from scipy.stats import t

    for count in range(6, 60):
        assert _student_quantile(count - 1) == pytest.approx(t.ppf(0.975, count - 1), rel=2e-3)
    for count, quantile in STUDENT.items():
        assert quantile == pytest.approx(t.ppf(0.975, count - 1), rel=1e-6)


def test_the_median_of_an_even_number_is_in_the_middle() -> None:
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5
