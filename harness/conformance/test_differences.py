"""Numbers: gradients against central differences of the backend's own outputs, an oracle apart from the reference."""

from __future__ import annotations

import pytest

from harness.conformance import differences
from harness.conformance.cases import Case, Exercise, activations, endings, pairwise
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
    exercise = case.exercise(seed=3)
    gradients = _gradients(target, exercise)
    for seed in (1, 2):
        direction = differences.everywhere(exercise.start, seed)
        if _miss(target, exercise, gradients, direction, "all arrays"):
            names = differences.one_by_one(exercise.start, seed)
            misses = [_miss(target, exercise, gradients, move, name) for name, move in names]
            fail(next(filter(None, misses), "") or _miss(target, exercise, gradients, direction, "all arrays"))


def _miss(target: Target, exercise: Exercise, gradients: Parameters, direction: Parameters, name: str) -> str:
    """Return how far the gradients are from central differences along a direction; empty if that is allowed."""
    loss = exercise.network.loss
    truth = differences.slope(loss, lambda at: _outputs(target, exercise, at), exercise.start, direction, exercise.y)
    got = differences.along(gradients, direction)
    if abs(got - truth.value) <= truth.error:
        return ""
    return (
        f"gradients: {name}, along a random direction, give {got:.9g}; central differences of this backend's own "
        f"outputs give {truth.value:.9g}: differs by {abs(got - truth.value):.3g}, allowed {truth.error:.3g}"
    )


def _gradients(target: Target, exercise: Exercise) -> Parameters:
    subject = Subject(target, exercise.network, exercise.start)
    try:
        subject.load(exercise.x, exercise.y)
        subject.batch(exercise.rows)
        return subject.gradients()
    finally:
        subject.close()


def _outputs(target: Target, exercise: Exercise, at: Parameters) -> Array:
    subject = Subject(target, exercise.network, at)
    try:
        subject.load(exercise.x, exercise.y)
        subject.forward(exercise.rows)
        return subject.outputs()
    finally:
        subject.close()
