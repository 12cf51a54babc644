"""Numbers: outputs and gradients of one batch against the float64 reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.conformance.cases import SHAPES, SHIPPED, Case, Exercise, Sizes, activations, crossed, endings
from harness.conformance.expecting import expect_array, expect_batch, expect_same
from harness.conformance.subject import Subject
from harness.conformance.target import Target
from harness.contract.arrays import Parameters
from harness.contract.network import Network
from harness.contract.vocabulary import DTYPES

pytestmark = pytest.mark.numbers

Opened = Callable[[Network, Parameters], Subject]
SATURABLE = [("sigmoid", "mse"), ("sigmoid", "bce"), ("tanh", "mse"), ("linear", "ce")]


@pytest.mark.parametrize(("hidden", "ending", "dtype", "shape"), crossed(activations(), endings(), DTYPES, SHAPES))
def test_a_batch_equals_the_reference(
    target: Target, opened: Opened, hidden: str, ending: tuple[str, str], dtype: str, shape: Sizes
) -> None:
    case = Case(hidden=hidden, output=ending[0], loss=ending[1], dtype=dtype, sizes=shape.sizes, rows=shape.rows)
    exercise = case.exercise()
    subject = _loaded(opened, exercise)
    expect_batch(subject, exercise, target.precision)


def _loaded(opened: Opened, exercise: Exercise) -> Subject:
    subject = opened(exercise.network, exercise.start)
    subject.load(exercise.x, exercise.y)
    return subject


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "sizes",
    [(1, 1), (1, 17, 1), (17, 17, 17), (257, 1, 257), (257, 257, 1)],
    ids=lambda sizes: "x".join(map(str, sizes)),
)
def test_a_layer_may_be_of_any_width(target: Target, opened: Opened, sizes: tuple[int, ...], dtype: str) -> None:
    exercise = Case(sizes=sizes, rows=3, dtype=dtype).exercise()
    expect_batch(_loaded(opened, exercise), exercise, target.precision)


@pytest.mark.parametrize("hidden", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_net_may_be_deep(target: Target, opened: Opened, hidden: str, dtype: str) -> None:
    exercise = Case(sizes=(4, 6, 5, 7, 6, 5, 6, 7, 5, 3), hidden=hidden, dtype=dtype).exercise()
    expect_batch(_loaded(opened, exercise), exercise, target.precision)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_may_be_any_slice_of_the_set(target: Target, opened: Opened, dtype: str) -> None:
    exercise = Case(rows=37, dtype=dtype).exercise()
    subject = _loaded(opened, exercise)
    for start, stop in ((5, 6), (0, 8), (8, 31), (36, 37), (0, 37), (3, 9), (30, 37)):
        expect_batch(subject, exercise, target.precision, rows=slice(start, stop))


def test_backprop_belongs_to_the_last_forward(target: Target, opened: Opened) -> None:
    exercise = Case(rows=12).exercise()
    subject = _loaded(opened, exercise)
    subject.batch(slice(0, 6))
    subject.forward(slice(2, 9))
    expect_batch(subject, exercise, target.precision, rows=slice(6, 12))


def test_gradients_do_not_pile_up(target: Target, opened: Opened) -> None:
    exercise = Case().exercise()
    subject = _loaded(opened, exercise)
    for _ in range(3):
        expect_batch(subject, exercise, target.precision)


def test_forward_and_backprop_leave_the_weights_alone(opened: Opened) -> None:
    exercise = Case().exercise()
    subject = _loaded(opened, exercise)
    subject.batch(exercise.rows)
    expect_same("parameters after forward and backprop", subject.parameters(), exercise.start)


@pytest.mark.parametrize(("hidden", "ending", "dtype"), crossed(SHIPPED[:3], SATURABLE, DTYPES))
def test_saturated_neurons_do_no_harm(
    target: Target, opened: Opened, hidden: str, ending: tuple[str, str], dtype: str
) -> None:
    exercise = Case(hidden=hidden, output=ending[0], loss=ending[1], dtype=dtype).exercise(spread=1000.0)
    for weights, _ in exercise.start[1:]:
        np.multiply(weights, 300, out=weights)
    expect_batch(_loaded(opened, exercise), exercise, target.precision)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu", "linear"])
def test_tiny_inputs_do_no_harm(target: Target, opened: Opened, hidden: str, dtype: str) -> None:
    exercise = Case(hidden=hidden, dtype=dtype).exercise(spread=1e-30)
    for _, bias in exercise.start:
        bias[:] = 0
    expect_batch(_loaded(opened, exercise), exercise, target.precision)


def test_the_slope_of_relu_at_zero_is_zero(opened: Opened) -> None:
    exercise = Case(hidden="relu").exercise()
    for part in exercise.start[0]:
        part[:] = 0
    subject = _loaded(opened, exercise)
    subject.batch(exercise.rows)
    expect_same("gradients where every z is 0", subject.gradients()[:1], _zeros(exercise.start[:1]))


def _zeros(parameters: Parameters) -> Parameters:
    return [(np.zeros_like(weights), np.zeros_like(bias)) for weights, bias in parameters]


def test_outputs_belong_to_the_last_forward(target: Target, opened: Opened) -> None:
    exercise = Case(rows=10).exercise()
    subject = _loaded(opened, exercise)
    batch = expect_batch(subject, exercise, target.precision, rows=slice(0, 5))
    subject.step(0.5)
    expect_array("outputs after step", subject.outputs(), batch.outputs, batch.allowed_outputs)
