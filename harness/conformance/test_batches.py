"""Numbers: outputs and gradients of one batch against the float64 reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.conformance.expecting import expect_array, expect_batch, expect_same
from harness.conformance.levels import crossed
from harness.conformance.problems import SHAPES, SHIPPED, Case, Problem, Sizes, activations, endings
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
    problem = case.problem()
    subject = _loaded(opened, problem)
    expect_batch(subject, problem, target.precision)


def _loaded(opened: Opened, problem: Problem) -> Subject:
    subject = opened(problem.network, problem.start)
    subject.load(problem.x, problem.y)
    return subject


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "sizes",
    [(1, 1), (1, 17, 1), (17, 17, 17), (257, 1, 257), (257, 257, 1)],
    ids=lambda sizes: "x".join(map(str, sizes)),
)
def test_a_layer_may_be_of_any_width(target: Target, opened: Opened, sizes: tuple[int, ...], dtype: str) -> None:
    problem = Case(sizes=sizes, rows=3, dtype=dtype).problem()
    expect_batch(_loaded(opened, problem), problem, target.precision)


@pytest.mark.parametrize("hidden", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_net_may_be_deep(target: Target, opened: Opened, hidden: str, dtype: str) -> None:
    problem = Case(sizes=(4, 6, 5, 7, 6, 5, 6, 7, 5, 3), hidden=hidden, dtype=dtype).problem()
    expect_batch(_loaded(opened, problem), problem, target.precision)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_may_be_any_slice_of_the_set(target: Target, opened: Opened, dtype: str) -> None:
    problem = Case(rows=37, dtype=dtype).problem()
    subject = _loaded(opened, problem)
    for start, stop in ((5, 6), (0, 8), (8, 31), (36, 37), (0, 37), (3, 9), (30, 37)):
        expect_batch(subject, problem, target.precision, rows=slice(start, stop))


def test_backprop_belongs_to_the_last_forward(target: Target, opened: Opened) -> None:
    problem = Case(rows=12).problem()
    subject = _loaded(opened, problem)
    subject.batch(slice(0, 6))
    subject.forward(slice(2, 9))
    expect_batch(subject, problem, target.precision, rows=slice(6, 12))


def test_gradients_do_not_pile_up(target: Target, opened: Opened) -> None:
    problem = Case().problem()
    subject = _loaded(opened, problem)
    for _ in range(3):
        expect_batch(subject, problem, target.precision)


def test_forward_and_backprop_leave_the_weights_alone(opened: Opened) -> None:
    problem = Case().problem()
    subject = _loaded(opened, problem)
    subject.batch(problem.rows)
    expect_same("parameters after forward and backprop", subject.parameters(), problem.start)


@pytest.mark.parametrize(("hidden", "ending", "dtype"), crossed(SHIPPED[:3], SATURABLE, DTYPES))
def test_saturated_neurons_do_no_harm(
    target: Target, opened: Opened, hidden: str, ending: tuple[str, str], dtype: str
) -> None:
    problem = Case(hidden=hidden, output=ending[0], loss=ending[1], dtype=dtype).problem(spread=1000.0)
    for weights, _ in problem.start[1:]:
        np.multiply(weights, 300, out=weights)
    expect_batch(_loaded(opened, problem), problem, target.precision)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu", "linear"])
def test_tiny_inputs_do_no_harm(target: Target, opened: Opened, hidden: str, dtype: str) -> None:
    problem = Case(hidden=hidden, dtype=dtype).problem(spread=1e-30)
    for _, bias in problem.start:
        bias[:] = 0
    expect_batch(_loaded(opened, problem), problem, target.precision)


def test_the_slope_of_relu_at_zero_is_zero(opened: Opened) -> None:
    problem = Case(hidden="relu").problem()
    for part in problem.start[0]:
        part[:] = 0
    subject = _loaded(opened, problem)
    subject.batch(problem.rows)
    expect_same("gradients where every z is 0", subject.gradients()[:1], _zeros(problem.start[:1]))


def _zeros(parameters: Parameters) -> Parameters:
    return [(np.zeros_like(weights), np.zeros_like(bias)) for weights, bias in parameters]


def test_outputs_belong_to_the_last_forward(target: Target, opened: Opened) -> None:
    problem = Case(rows=10).problem()
    subject = _loaded(opened, problem)
    batch = expect_batch(subject, problem, target.precision, rows=slice(0, 5))
    subject.step(0.5)
    expect_array("outputs after step", subject.outputs(), batch.outputs, batch.allowed_outputs)
