from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness import Activation, PluginError
from harness.contract.activations import shipped

ALL = {one.name: one for one in shipped()}
POINTS = np.array([-1e4, -800.0, -40.0, -5.0, -1.0, -1e-3, 1e-3, 0.5, 1.0, 5.0, 40.0, 800.0, 1e4])
MODERATE = np.array([-6.0, -1.5, -0.3, 0.2, 1.0, 4.0])


@pytest.fixture(params=ALL)
def one(request: pytest.FixtureRequest) -> Activation:
    return ALL[request.param]


def test_the_contract_has_four() -> None:
    assert set(ALL) == {"linear", "sigmoid", "tanh", "relu"}


def test_the_array_form_and_the_scalar_form_agree(one: Activation) -> None:
    assert one.scalar_value is not None
    assert one.scalar_slope is not None
    a = one.value(np, POINTS)
    slopes = one.slope(np, POINTS, a)
    np.testing.assert_allclose(a, [one.scalar_value(z) for z in POINTS], rtol=1e-15)
    np.testing.assert_allclose(slopes, [one.scalar_slope(z, v) for z, v in zip(POINTS, a, strict=True)], rtol=1e-15)


def test_the_slope_is_the_central_difference(one: Activation) -> None:
    h = 1e-6
    difference = (one.value(np, MODERATE + h) - one.value(np, MODERATE - h)) / (2 * h)
    np.testing.assert_allclose(one.slope(np, MODERATE, one.value(np, MODERATE)), difference, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extremes_neither_overflow_nor_leave_the_range(one: Activation, dtype: str) -> None:
    z = POINTS.astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = one.value(np, z)
        slope = one.slope(np, z, a)
    assert a.dtype == slope.dtype == dtype
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()
    assert (a >= one.range[0]).all()
    assert (a <= one.range[1]).all()


def test_nan_stays_nan(one: Activation) -> None:
    assert one.scalar_value is not None
    assert np.isnan(one.value(np, np.array([math.nan, 1.0]))).tolist() == [True, False]
    assert math.isnan(one.scalar_value(math.nan))


def test_infinity_is_fine(one: Activation) -> None:
    assert one.scalar_value is not None
    z = np.array([-math.inf, math.inf])
    assert one.value(np, z).tolist() == [one.scalar_value(-math.inf), one.scalar_value(math.inf)] == list(one.range)


def test_arguments_are_left_alone_and_results_are_new(one: Activation) -> None:
    z = POINTS.copy()
    a = one.value(np, z)
    kept = a.copy()
    slope = one.slope(np, z, a)
    assert (z == POINTS).all()
    assert (a == kept).all()
    assert not np.shares_memory(a, z)
    assert not np.shares_memory(slope, a)


def test_the_slope_of_relu_at_0_is_0() -> None:
    relu = ALL["relu"]
    assert relu.scalar_slope is not None
    assert relu.slope(np, np.array([-0.0, 0.0]), np.zeros(2)).tolist() == [0, 0]
    assert (relu.scalar_slope(0.0, 0.0), relu.scalar_slope(-0.0, 0.0)) == (0.0, 0.0)


def test_the_sigmoid_keeps_its_relative_accuracy_in_the_tail() -> None:
    assert ALL["sigmoid"].value(np, np.array([-700.0]))[0] == pytest.approx(math.exp(-700), rel=1e-14)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"range": (1, 0)}, "range="),
        ({"range": (0, math.nan)}, "range="),
        ({"range": "01"}, "range="),
        ({"range": None}, "range="),
        ({"value": None}, "value=None should be a function"),
        ({"slope": 3}, "slope=3 should be a function"),
        ({"scalar_value": 3}, "scalar_value=3 should be a function"),
        ({"scalar_value": abs}, "give both scalar_value and scalar_slope, or neither"),
    ],
)
def test_a_wrong_activation_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        Activation(**{"name": "odd", "value": abs, "slope": abs, "range": (0, 1), **fields})
