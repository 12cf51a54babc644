"""Numbers: gradients against central differences of the backend's own outputs, an oracle apart from the reference."""

from __future__ import annotations

import pytest

from harness.conformance import differences
from harness.conformance.pairwise import pairwise
from harness.conformance.problems import Case, Problem, activations, endings
from harness.conformance.subject import Subject, fail
from harness.conformance.target import Target
from harness.contract.arrays import Array, Parameters
from harness.contract.vocabulary import DTYPES

pytestmark = pytest.mark.numbers

FEW = [
    Case(hidden="tanh", output="sigmoid", loss="bce", dtype="float64"),
    Case(hidden="relu", output="linear", loss="ce", dtype="float64"),
    Case(hidden="sigmoid", output="tanh", loss="mse", dtype="float32"),
    Case(sizes=(3, 5, 4, 2), hidden="tanh", output="sigmoid", loss="mse", dtype="float32"),
]
MORE = [
    Case(hidden=hidden, output=ending[0], loss=ending[1], dtype=dtype, rows=5)
    for hidden, ending, dtype in pairwise((activations(), endings(), DTYPES))
]


@pytest.mark.parametrize(
    "case",
    [*(pytest.param(case, id=str(case)) for case in FEW),
     *(pytest.param(case, id=str(case), marks=pytest.mark.full) for case in MORE)],
)  # fmt: skip
def test_gradients_equal_central_differences(target: Target, case: Case) -> None:
    if target.precision != "ieee":
        pytest.skip(f"outputs in {target.precision} are too coarse for differences")
    problem = case.problem(seed=3)
    gradients = _gradients(target, problem)
    for seed in (1, 2):
        direction = differences.everywhere(problem.start, seed)
        if _miss(target, problem, gradients, direction, "all arrays"):
            names = differences.one_by_one(problem.start, seed)
            found = [_miss(target, problem, gradients, move, name) for name, move in names]
            fail(next(filter(None, found), "") or _miss(target, problem, gradients, direction, "all arrays"))


def _miss(target: Target, problem: Problem, gradients: Parameters, direction: Parameters, name: str) -> str:
    """Return how far the gradients are from central differences along a direction, or nothing."""
    loss = problem.network.loss
    truth = differences.slope(loss, lambda at: _outputs(target, problem, at), problem.start, direction, problem.y)
    got = differences.along(gradients, direction)
    if abs(got - truth.value) <= truth.error:
        return ""
    return (
        f"gradients: {name}, along a random direction, give {got:.9g}; central differences of this backend's own "
        f"outputs give {truth.value:.9g}: differs by {abs(got - truth.value):.3g}, allowed {truth.error:.3g}"
    )


def _gradients(target: Target, problem: Problem) -> Parameters:
    subject = Subject(target, problem.network, problem.start)
    try:
        subject.load(problem.x, problem.y)
        subject.batch(problem.rows)
        return subject.gradients()
    finally:
        subject.close()


def _outputs(target: Target, problem: Problem, at: Parameters) -> Array:
    subject = Subject(target, problem.network, at)
    try:
        subject.load(problem.x, problem.y)
        subject.forward(problem.rows)
        return subject.outputs()
    finally:
        subject.close()
