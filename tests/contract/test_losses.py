from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness import Activation
from harness.contract.activations import shipped
from harness.contract.losses import loss_value, output_delta, softmax

ALL = {one.name: one for one in shipped()}
RNG = np.random.default_rng(3)
Z = RNG.normal(size=(5, 4))
Y = RNG.random((5, 4))
ONE_HOT = np.eye(4)[[0, 3, 1, 1, 2]]


def _half_tanh(xp: Any, z: Any) -> Any:
    return (1 + xp.tanh(z)) / 2


HALF = Activation("half-tanh", _half_tanh, lambda _xp, _z, a: 2 * a * (1 - a), (0.0, 1.0))
"""A second activation with range (0, 1): the sigmoid of 2z, so that everything about it is known."""

PAIRS = [("mse", one, Y) for one in ALL.values()] + [
    ("bce", ALL["sigmoid"], Y),
    ("bce", HALF, Y),
    ("ce", ALL["linear"], ONE_HOT),
    ("ce", ALL["linear"], np.asarray(softmax(Y))),
]
NAMED = [f"{loss}-{one.name}" for loss, one, _ in PAIRS]


def by_hand(loss: str, a: list[float], y: list[float]) -> float:
    """The loss of one row, from its textbook formula, with nothing done for stability."""
    if loss == "mse":
        return math.fsum((p - t) ** 2 for p, t in zip(a, y, strict=True))
    if loss == "bce":
        return -math.fsum(t * math.log(p) + (1 - t) * math.log(1 - p) for p, t in zip(a, y, strict=True))
    total = math.fsum(map(math.exp, a))
    return -math.fsum(t * math.log(math.exp(p) / total) for p, t in zip(a, y, strict=True))


@pytest.mark.parametrize(("loss", "one", "y"), PAIRS, ids=NAMED)
def test_the_value_is_the_mean_over_rows_of_the_textbook_formula(loss: str, one: Activation, y: Any) -> None:
    a = one.value(np, Z)
    rows = [by_hand(loss, row, target) for row, target in zip(a.tolist(), y.tolist(), strict=True)]
    assert loss_value(loss, a, y) == pytest.approx(math.fsum(rows) / len(rows), rel=1e-12)


@pytest.mark.parametrize(("loss", "one", "y"), PAIRS, ids=NAMED)
def test_the_delta_is_the_central_difference_of_the_value(loss: str, one: Activation, y: Any) -> None:
    h = 1e-6  # the error of a difference: rounding of the loss over 2h, about 1e-9, times what 1 - a cancels
    delta = output_delta(loss, one, Z, one.value(np, Z), y)
    for place in np.ndindex(Z.shape):
        up, down = Z.copy(), Z.copy()
        up[place] += h
        down[place] -= h
        difference = (loss_value(loss, one.value(np, up), y) - loss_value(loss, one.value(np, down), y)) / (2 * h)
        assert delta[place] == pytest.approx(difference, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("loss", "one", "y"), PAIRS, ids=NAMED)
def test_extremes_give_finite_numbers(loss: str, one: Activation, y: Any, dtype: str) -> None:
    z = np.array([[-1e4, 1e4, -90.0, 90.0]] * 5, dtype=dtype)
    a = one.value(np, z)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        delta = output_delta(loss, one, z, a, y.astype(dtype))
    assert delta.dtype == dtype
    assert np.isfinite(delta).all()
    assert math.isfinite(loss_value(loss, a, y.astype(dtype)))


def test_a_saturated_wrong_output_costs_100_and_still_has_a_gradient() -> None:
    sigmoid = ALL["sigmoid"]
    z = np.array([[-1e4, 1e4]])
    a, y = sigmoid.value(np, z), np.array([[1.0, 0.0]])
    assert a.tolist() == [[0.0, 1.0]]
    assert loss_value("bce", a, y) == 200.0
    assert output_delta("bce", sigmoid, z, a, y).tolist() == [[-1.0, 1.0]]


def test_a_saturated_right_output_costs_nothing() -> None:
    assert loss_value("bce", np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])) == 0.0


@pytest.mark.parametrize("scale", [1.0, 10.0, 15.0])
def test_bce_after_another_activation_equals_the_closed_form_where_it_is_not_saturated(scale: float) -> None:
    z = np.linspace(-1, 1, 21)[:, None] * scale
    a = HALF.value(np, z)
    inside = (a > 1e-12) & (a < 1 - 1e-12)
    expected = 2 * (a - 0.25) / len(z)  # the sigmoid of 2z, by the chain rule through 2z
    delta = output_delta("bce", HALF, z, a, np.full_like(z, 0.25))
    np.testing.assert_allclose(delta[inside], expected[inside], rtol=1e-9)


def test_bce_after_another_activation_is_flat_where_it_is_saturated() -> None:
    z = np.array([[-1e4, 1e4]])
    a = HALF.value(np, z)
    assert a.tolist() == [[0.0, 1.0]]
    assert output_delta("bce", HALF, z, a, np.array([[1.0, 0.0]])).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(("loss", "one", "y"), PAIRS, ids=NAMED)
def test_a_diverged_net_does_not_look_healthy(loss: str, one: Activation, y: Any) -> None:
    z = np.full((5, 4), math.nan)
    a = one.value(np, z)
    assert math.isnan(loss_value(loss, a, y))
    assert np.isnan(output_delta(loss, one, z, a, y)).all()


def test_the_value_of_huge_outputs_is_infinite_without_a_warning() -> None:
    assert loss_value("mse", np.array([[1e200]]), np.array([[0.0]])) == math.inf


def test_float32_outputs_are_added_up_in_float64() -> None:
    a = np.full((1, 100_000), np.float32(0.1))
    exact = 100_000 * float(np.float32(0.1)) ** 2
    assert loss_value("mse", a, np.zeros_like(a)) == pytest.approx(exact, rel=1e-12)


def test_softmax_of_huge_logits_is_finite_and_sums_to_1() -> None:
    p = softmax(np.array([[1e4, 0.0, -1e4], [5.0, 5.0, 5.0]]))
    assert p[0].tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(p.sum(axis=1), 1)
