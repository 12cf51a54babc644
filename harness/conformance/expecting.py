"""Comparisons of numbers. Each fails the check with what differs, where, by how much, and what is allowed."""

from __future__ import annotations

import numpy as np

from harness.conformance.cases import Exercise
from harness.conformance.subject import Subject, fail
from harness.contract import tolerance
from harness.contract.arrays import Array, Parameters
from harness.contract.tolerance import Batch


def expect_batch(
    subject: Subject, exercise: Exercise, precision: str, *, rows: slice | None = None, at: Parameters | None = None
) -> Batch:
    """Run one batch; compare outputs and gradients with the reference at the parameters ``at`` or at the start."""
    rows = rows or exercise.rows
    x, y = exercise.x[rows], exercise.y[rows]
    batch = tolerance.one_batch(exercise.network, at or exercise.start, x, y, precision)
    subject.forward(rows)
    expect_array("outputs", subject.outputs(), batch.outputs, batch.allowed_outputs)
    subject.backprop(rows)
    expect_parameters("gradients", subject.gradients(), batch.gradients, batch.allowed_gradients)
    return batch


def expect_array(what: str, got: Array, expected: Array, allowed: Array) -> None:
    """Fail with the worst element of an array if it differs by more than is allowed."""
    difference = tolerance.compare(what, got, expected, allowed)
    if difference:
        fail(str(difference))


def expect_parameters(what: str, got: Parameters, expected: Parameters, allowed: Parameters) -> None:
    """Fail with the worst element of all layers if it differs by more than is allowed."""
    difference = tolerance.compare_parameters(what, got, expected, allowed)
    if difference:
        fail(str(difference))


def expect_trained(
    subject: Subject, exercise: Exercise, schedule: list[tuple[slice, float]], precision: str, what: str = "parameters"
) -> None:
    """Compare the parameters with those of the reference after the same batches and rates from the start."""
    network, start, x, y = exercise
    trained = tolerance.after_training(network, start, x, y, schedule, precision)
    expect_parameters(what, subject.parameters(), trained.parameters, trained.allowed)


def expect_same(what: str, got: Parameters, expected: Parameters) -> None:
    """Fail if any element is not exactly equal."""
    nothing = [(np.zeros_like(weights), np.zeros_like(bias)) for weights, bias in expected]
    expect_parameters(what, got, expected, nothing)
