"""The tolerance: right backends stay well inside, and what is wrong by little is outside."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harness import Array, Network, Parameters, activation, initial_parameters
from harness.conformance.cases import Case, Exercise
from harness.contract import tolerance
from harness.contract.losses import output_delta
from harness.errors import RequestError

NETS = [
    Case(sizes=(5, 4, 3)),
    Case(sizes=(17, 257, 10), hidden="relu", output="linear", loss="ce", rows=37),
    Case(sizes=(257, 17, 1), hidden="sigmoid", output="sigmoid", loss="bce", rows=37),
    Case(sizes=(6, 9, 9, 9, 9, 9, 9, 9, 9, 3), hidden="tanh", rows=37),
    Case(sizes=(6, 9, 9, 9, 9, 9, 9, 9, 9, 3), hidden="relu", output="linear", rows=37),
    Case(sizes=(300, 200, 10), hidden="sigmoid", rows=64),
]


def plain(
    exercise: Exercise, schedule: list[tuple[slice, float]], dtype: str
) -> Iterator[tuple[Array, Parameters, Parameters]]:
    """Yield outputs, gradients and new weights of every step, computed in ``dtype`` by the textbook."""
    network, x, y = exercise.network, exercise.x.astype(dtype), exercise.y.astype(dtype)
    weights = [(w.astype(dtype), b.astype(dtype)) for w, b in exercise.start]
    functions = [activation(layer.activation) for layer in network.layers]
    for rows, rate in schedule:
        a, z = [x[rows]], []
        for (w, b), f in zip(weights, functions, strict=True):
            z.append(a[-1] @ w + b)
            a.append(f.value(np, z[-1]))
        delta = output_delta(network.loss, functions[-1], z[-1], a[-1], y[rows]).astype(dtype)
        gradients: Parameters = []
        for index in reversed(range(len(weights))):
            gradients.insert(0, (a[index].T @ delta, delta.sum(axis=0)))
            if index:
                delta = (delta @ weights[index][0].T) * functions[index - 1].slope(np, z[index - 1], a[index])
        pairs = zip(weights, gradients, strict=True)
        weights = [(w - np.asarray(rate, dtype) * dw, b - np.asarray(rate, dtype) * db) for (w, b), (dw, db) in pairs]
        yield a[-1], gradients, weights


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", NETS, ids=str)
def test_plain_arithmetic_in_the_dtype_is_inside(case: Case, dtype: str) -> None:
    exercise = Case(**{**vars(case), "dtype": dtype}).exercise()
    batch = tolerance.one_batch(*exercise)
    outputs, gradients, _ = next(plain(exercise, [(exercise.rows, 0.1)], dtype))
    assert not tolerance.compare("outputs", outputs, batch.outputs, batch.allowed_outputs)
    assert not tolerance.compare_parameters("gradients", gradients, batch.gradients, batch.allowed_gradients)
    schedule = list(tolerance.epochs(len(exercise.x), 8, 0.1, 3))
    trained = tolerance.after_training(*exercise, schedule)
    *_, (_, _, weights) = plain(exercise, schedule, dtype)
    assert not tolerance.compare_parameters("parameters", weights, trained.parameters, trained.allowed)


@pytest.mark.parametrize("case", NETS[:3], ids=str)
def test_single_precision_inside_double_is_far_outside(case: Case) -> None:
    exercise = case.exercise()
    schedule = list(tolerance.epochs(len(exercise.x), 8, 0.1, 3))
    batch, trained = tolerance.one_batch(*exercise), tolerance.after_training(*exercise, schedule)
    outputs, gradients, _ = next(plain(exercise, [(exercise.rows, 0.1)], "float32"))
    *_, (_, _, weights) = plain(exercise, schedule, "float32")
    for found in (
        tolerance.compare("outputs", outputs, batch.outputs, batch.allowed_outputs),
        tolerance.compare_parameters("gradients", gradients, batch.gradients, batch.allowed_gradients),
        tolerance.compare_parameters("parameters", weights, trained.parameters, trained.allowed),
    ):
        assert found
        assert found.excess > 100


@pytest.mark.parametrize(("precision", "worse"), [("tf32", 100), ("bf16", 500)])
def test_a_narrow_precision_is_allowed_more_in_single_and_nothing_more_in_double(precision: str, worse: int) -> None:
    single, double = Case(dtype="float32").exercise(), Case(dtype="float64").exercise()
    ieee = tolerance.one_batch(*single).allowed_outputs
    assert np.median(tolerance.one_batch(*single, precision).allowed_outputs / ieee) > worse
    same = tolerance.one_batch(*double, precision).allowed_outputs
    assert np.array_equal(same, tolerance.one_batch(*double).allowed_outputs)


def test_products_in_tf32_are_outside_where_ieee_was_asked_for() -> None:
    exercise = Case(sizes=(17, 40, 10), dtype="float32", rows=37).exercise()
    mask = np.uint32(0xFFFFE000)
    coarse = Exercise(
        exercise.network,
        [((w.view("uint32") & mask).view("float32"), b) for w, b in exercise.start],
        (exercise.x.view("uint32") & mask).view("float32"),
        exercise.y,
    )
    outputs, _, _ = next(plain(coarse, [(coarse.rows, 0.1)], "float32"))
    ieee, tf32 = tolerance.one_batch(*exercise), tolerance.one_batch(*exercise, "tf32")
    assert tolerance.compare("outputs", outputs, ieee.outputs, ieee.allowed_outputs)
    assert not tolerance.compare("outputs", outputs, tf32.outputs, tf32.allowed_outputs)


def test_an_unknown_precision_is_a_wrong_request() -> None:
    with pytest.raises(RequestError, match="precision='fp8' is unknown"):
        tolerance.units("float32", "fp8")


def test_the_worst_element_is_named() -> None:
    expected, allowed = np.zeros((2, 3)), np.full((2, 3), 0.1)
    got = np.array([[0.05, 0.2, 0.0], [0.0, 0.0, -0.5]])
    found = tolerance.compare("outputs", got, expected, allowed)
    assert found
    assert str(found) == (
        "outputs[1, 2] is -0.5, should be 0: differs by 0.5, allowed 0.1; 2 of 6 elements are outside"
    )


def test_a_run_that_amplifies_every_rounding_says_so() -> None:
    network = Network.dense([40, 60, 5], activation=["relu", "linear"], dtype="float32")
    start = initial_parameters(network)
    random = np.random.default_rng(0)
    x = random.standard_normal((30, 40)).astype("float32")
    y = random.random((30, 5)).astype("float32")
    calm = tolerance.after_training(network, start, x, y, tolerance.epochs(30, 10, 1e-3, 2))
    wild = tolerance.after_training(network, start, x, y, tolerance.epochs(30, 1, 0.02, 10))
    assert calm.looseness < 1e-4
    assert wild.looseness > 10 * calm.looseness


def test_a_run_that_diverges_allows_nothing_that_is_a_number() -> None:
    exercise = Case(hidden="relu", output="linear", dtype="float32").exercise(spread=100.0)
    trained = tolerance.after_training(*exercise, tolerance.epochs(9, 1, 10.0, 30))
    assert tolerance.compare_parameters("parameters", exercise.start, trained.parameters, trained.allowed)
