"""What the checks say of numbers: each helper fails with what differed, where, by how much and what was allowed."""

from __future__ import annotations

import numpy as np

from harness.conformance.problems import Problem
from harness.conformance.subject import Subject, fail
from harness.contract import tolerance
from harness.contract.arrays import Array, Parameters
from harness.contract.tolerance import Batch


def expect_batch(
    subject: Subject, problem: Problem, precision: str, *, rows: slice | None = None, at: Parameters | None = None
) -> Batch:
    """Run one batch and compare outputs and gradients with the reference at the parameters ``at``, or the start."""
    rows = rows or problem.rows
    x, y = problem.x[rows], problem.y[rows]
    batch = tolerance.one_batch(problem.network, at or problem.start, x, y, precision)
    subject.forward(rows)
    expect_array("outputs", subject.outputs(), batch.outputs, batch.allowed_outputs)
    subject.backprop(rows)
    expect_parameters("gradients", subject.gradients(), batch.gradients, batch.allowed_gradients)
    return batch


def expect_array(what: str, got: Array, expected: Array, allowed: Array) -> None:
    """Fail with the worst element of an array that is outside what is allowed."""
    found = tolerance.compare(what, got, expected, allowed)
    if found:
        fail(str(found))


def expect_parameters(what: str, got: Parameters, expected: Parameters, allowed: Parameters) -> None:
    """Fail with the worst element of all layers that is outside what is allowed."""
    found = tolerance.compare_parameters(what, got, expected, allowed)
    if found:
        fail(str(found))


def expect_trained(
    subject: Subject, problem: Problem, schedule: list[tuple[slice, float]], precision: str, what: str = "parameters"
) -> None:
    """Compare the parameters with those that the reference ends in after this schedule from the start."""
    network, start, x, y = problem
    trained = tolerance.after_training(network, start, x, y, schedule, precision)
    expect_parameters(what, subject.parameters(), trained.parameters, trained.allowed)


def expect_same(what: str, got: Parameters, expected: Parameters) -> None:
    """Fail where any element is not exactly what it should be."""
    nothing = [(np.zeros_like(weights), np.zeros_like(bias)) for weights, bias in expected]
    expect_parameters(what, got, expected, nothing)
