"""The reference against two oracles that share no code with it, nor with each other."""

from __future__ import annotations

import numpy as np
import pytest

from harness import Network, initial_parameters
from harness.contract import reference
from harness.contract.arrays import Array, Parameters, copied
from harness.contract.losses import loss_value, softmax
from tests.contract import scalar_network

CASES = [
    ("sigmoid", "sigmoid", "mse"),
    ("tanh", "linear", "mse"),
    ("relu", "tanh", "mse"),
    ("linear", "relu", "mse"),
    ("tanh", "sigmoid", "bce"),
    ("sigmoid", "linear", "ce"),
]


def problem(hidden: str, last: str, loss: str) -> tuple[Network, Parameters, Array, Array]:
    net = Network.dense([3, 4, 5, 2], activation=[hidden, hidden, last], loss=loss, dtype="float64")
    rng = np.random.default_rng(11)
    start = [(w, rng.normal(size=b.shape) * 0.3) for w, b in initial_parameters(net, seed=5)]
    y = rng.random((6, 2))
    return net, start, rng.normal(size=(6, 3)), (softmax(y) if loss == "ce" else y)


def loss_of(net: Network, parameters: Parameters, x: Array, y: Array) -> float:
    return loss_value(net.loss, reference.forward(net, parameters, x).outputs, y)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_gradients_equal_those_of_scalars_in_pure_python(case: tuple[str, str, str]) -> None:
    net, start, x, y = problem(*case)
    plain = [(w.tolist(), b.tolist()) for w, b in start]
    loss, expected = scalar_network.gradients(net, plain, x.tolist(), y.tolist())
    assert loss_of(net, start, x, y) == pytest.approx(loss, rel=1e-12)
    found = reference.backprop(net, start, reference.forward(net, start, x), y)
    for (dw, db), (ew, eb) in zip(found, expected, strict=True):
        np.testing.assert_allclose(dw, ew, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(db, eb, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_gradients_equal_central_differences(case: tuple[str, str, str]) -> None:
    net, start, x, y = problem(*case)
    found = reference.backprop(net, start, reference.forward(net, start, x), y)
    h = 1e-6
    for layer, pair in enumerate(start):
        for which, array in enumerate(pair):
            for place in np.ndindex(array.shape):
                moved = [copied(start), copied(start)]
                moved[0][layer][which][place] += h
                moved[1][layer][which][place] -= h
                up, down = (loss_of(net, parameters, x, y) for parameters in moved)
                assert found[layer][which][place] == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-9)


def test_a_step_subtracts_rate_times_gradient_and_leaves_its_arguments() -> None:
    weights, bias = np.ones((2, 2)), np.ones(2)
    ((new_weights, new_bias),) = reference.step([(weights, bias)], [(np.full((2, 2), 2.0), np.full(2, 4.0))], 0.25)
    assert (new_weights == 0.5).all()
    assert (new_bias == 0).all()
    assert (weights == 1).all()
    assert (bias == 1).all()


def test_an_epoch_is_the_three_steps_for_every_batch_in_order_the_last_one_ragged() -> None:
    net, start, x, y = problem("tanh", "linear", "mse")
    expected = start
    for rows in (slice(0, 4), slice(4, 6)):
        passed = reference.forward(net, expected, x[rows])
        expected = reference.step(expected, reference.backprop(net, expected, passed, y[rows]), 0.3)
    kept = copied(start)
    found = reference.train_epoch(net, start, x, y, 4, 0.3)
    for (w, b), (v, c) in zip(found, expected, strict=True):
        assert (w == v).all()
        assert (b == c).all()
    assert all((w == v).all() and (b == c).all() for (w, b), (v, c) in zip(start, kept, strict=True))


def test_training_learns_xor() -> None:
    net = Network.dense([2, 8, 1], activation=["tanh", "sigmoid"], loss="bce", dtype="float64")
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    parameters = initial_parameters(net, seed=1)
    for _ in range(400):
        parameters = reference.train_epoch(net, parameters, x, y, 4, 1.0)
    assert ((reference.forward(net, parameters, x).outputs > 0.5) == (y > 0.5)).all()


def test_float32_is_taken_and_float64_is_given() -> None:
    net, start, x, y = problem("tanh", "linear", "mse")
    narrow = copied(start, "float32")
    passed = reference.forward(net, copied(narrow, "float64"), x.astype("float32"))
    assert passed.outputs.dtype == "float64"
    after = reference.train_epoch(net, narrow, x.astype("float32"), y.astype("float32"), 2, 0.1)
    assert all(array.dtype == "float64" for pair in after for array in pair)
    assert not any(
        np.shares_memory(a, b)
        for pair, given in zip(after, narrow, strict=True)
        for a, b in zip(pair, given, strict=True)
    )


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_extreme_weights_give_finite_gradients(case: tuple[str, str, str]) -> None:
    net, start, x, y = problem(*case)
    huge = [(w * 1e3, b * 1e3) for w, b in start]
    passed = reference.forward(net, huge, x)
    found = reference.backprop(net, huge, passed, y)
    assert all(np.isfinite(array).all() for pair in found for array in pair)
    assert np.isfinite(loss_of(net, huge, x, y))
