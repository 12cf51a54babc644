"""What the verdicts promise, on made-up times whose truth is known; every seed is fixed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.report.compare import Result, Thresholds, compare
from harness.report.compare.evidence import paired, quantile, tail, unpaired
from tests.report.compare.made import noisy, side, stored

NARROW = Thresholds(default=1e-6)
"""A band so narrow that it cannot be what keeps a verdict quiet: what is left is the statistics alone."""
CELLS, STUDIES = 20, 100


def study(
    rng: np.random.Generator, *, cells: int = CELLS, rounds: int = 20, factor: float = 1.0, run: str = "r"
) -> Result:
    """Compare two sides of a study; the first cell of B takes ``factor`` times as long as it should."""
    made = [noisy(rng, rounds) for _ in range(cells)]
    made[0] = (made[0][0], made[0][1] * factor)
    a = side(*(stored(before, batch=1 + cell) for cell, (before, _) in enumerate(made)))
    b = side(*(stored(after, batch=1 + cell, run=run) for cell, (_, after) in enumerate(made)), word="B.db")
    return compare(a, b, NARROW if factor == 1 else None)


def alarms(result: Result) -> int:
    return sum(cell.verdict in ("faster", "slower") for cell in result.cells)


@pytest.mark.parametrize(("run", "cells"), [("r", CELLS), ("another", 6)])
def test_of_100_comparisons_of_equals_over_a_study_at_most_9_call_a_change(run: str, cells: int) -> None:
    """Paired where one run measured both, unpaired where another did."""
    rng = np.random.default_rng(1)
    wrong = sum(alarms(study(rng, run=run, cells=cells)) > 0 for _ in range(STUDIES))
    assert wrong <= 9


def test_without_the_correction_most_comparisons_of_equals_would_cry_wolf() -> None:
    """The test above could not fail if 20 cells never called anything anyhow."""
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(STUDIES):
        logs = [np.log(after / before) for before, after in (noisy(rng, 20) for _ in range(CELLS))]
        wrong += any(paired(list(log)).p_change() < 0.05 for log in logs)
    assert wrong > 40


def test_a_slowdown_of_10_percent_is_found_in_9_of_10_with_20_paired_rounds() -> None:
    rng = np.random.default_rng(2)
    results = [study(rng, cells=1, factor=1.1) for _ in range(100)]
    slower = sum(result.cells[0].verdict == "slower" for result in results)
    assert slower >= 90
    assert all(result.regression == (result.cells[0].verdict == "slower") for result in results)


def test_a_slowdown_of_15_percent_is_found_among_20_cells() -> None:
    rng = np.random.default_rng(3)
    results = [study(rng, factor=1.15) for _ in range(20)]
    called = [[cell.setting["batch"] for cell in result.cells if cell.verdict == "slower"] for result in results]
    assert sum(batches == [1] for batches in called) >= 18


def test_same_is_never_said_of_a_change_as_large_as_the_band() -> None:
    rng = np.random.default_rng(4)
    said = sum(study(rng, cells=1, factor=1.05).cells[0].verdict == "same" for _ in range(200))
    assert said <= 20


def test_equals_are_called_the_same_where_the_noise_allows_it() -> None:
    rng = np.random.default_rng(5)
    verdicts = []
    for _ in range(20):
        before, after = noisy(rng, 20, sigma=0.01, spikes=0)
        verdicts.append(compare(side(stored(before)), side(stored(after))).cells[0].verdict)
    assert verdicts.count("same") >= 19


@pytest.mark.parametrize("count", [1, 2])
def test_two_rounds_decide_nothing_however_large_the_difference(count: int) -> None:
    (cell,) = compare(side(stored([0.01] * count)), side(stored([10.0] * count))).cells
    assert cell.verdict == "undecided"
    assert cell.rounds == 3
    assert cell.ratio.low is None


def test_a_threefold_slowdown_is_found_in_three_rounds_among_20_cells() -> None:
    rng = np.random.default_rng(6)
    before = [0.01 * np.exp(rng.normal(0, 0.01, 3)) for _ in range(CELLS)]
    after = [0.01 * np.exp(rng.normal(0, 0.01, 3)) * (3 if cell == 7 else 1) for cell in range(CELLS)]
    result = compare(
        side(*(stored(times, batch=1 + cell) for cell, times in enumerate(before))),
        side(*(stored(times, batch=1 + cell) for cell, times in enumerate(after))),
    )
    assert [cell.setting["batch"] for cell in result.cells if cell.verdict == "slower"] == [8]


def test_as_many_rounds_as_advised_decide() -> None:
    """The advice takes what eight rounds saw for the truth, so it is rough, but no number out of a hat."""
    rng = np.random.default_rng(7)
    outcomes: list[bool] = []
    for _ in range(80):
        before, after = noisy(rng, 1000, sigma=0.08, spikes=0)
        after = after * 1.15
        (cell,) = compare(side(stored(before[:8])), side(stored(after[:8]))).cells
        if cell.verdict == "undecided" and cell.rounds is not None:
            (later,) = compare(side(stored(before[: cell.rounds])), side(stored(after[: cell.rounds]))).cells
            outcomes.append(later.verdict == "slower")
    assert len(outcomes) >= 20
    assert sum(outcomes) >= 0.65 * len(outcomes)


@pytest.mark.parametrize("count", [3, 5, 10, 20, 40])
@pytest.mark.parametrize("level", [0.05, 0.0025])
def test_p_values_are_as_rare_as_they_say(count: int, level: float) -> None:
    rng = np.random.default_rng(8)
    draws = 8000
    rare = sum(paired(list(rng.normal(0, 0.1, count))).p_change() < level for _ in range(draws))
    assert rare <= level * draws + 4 * (level * draws) ** 0.5
    assert rare >= level * draws / 2


def test_unpaired_p_values_are_as_rare_as_they_say_whatever_the_two_sides_look_like() -> None:
    rng = np.random.default_rng(9)
    for above, below, ratio in ((20, 20, 1), (20, 5, 4), (5, 20, 4), (3, 3, 1)):
        rare = 0
        for _ in range(3000):
            rare += unpaired(list(rng.normal(0, 0.1, above)), list(rng.normal(0, 0.1 * ratio, below))).p_change() < 0.05
        assert rare <= 210


@pytest.mark.parametrize("freedom", [1, 2, 3.5, 7, 15, 40, 1000])
def test_student_is_what_scipy_says(freedom: float) -> None:
    for t in (-30.0, -2.0, 0.0, 1e-6, 0.5, 2.5, 12.0, 1e4):
        assert tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-8, abs=1e-300)
    for above in (0.5, 0.2, 0.025, 1e-3, 1e-6):
        assert quantile(above, freedom) == pytest.approx(stats.t.isf(above, freedom), rel=1e-6, abs=1e-8)


MIRRORED = {"slower": "faster", "faster": "slower"}
some_times = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(some_times, some_times, st.sampled_from(["r", "another"]))
def test_the_other_way_round_the_verdict_is_its_mirror(before: list[float], after: list[float], run: str) -> None:
    a, b = side(stored(before)), side(stored(after, run=run))
    (there,), (back,) = compare(a, b).cells, compare(b, a).cells
    assert back.verdict == MIRRORED.get(there.verdict, there.verdict)
    assert back.ratio.value == pytest.approx(1 / there.ratio.value)
    assert back.p_change == pytest.approx(there.p_change)
    if there.verdict in MIRRORED:
        assert there.ratio.excludes(1)
