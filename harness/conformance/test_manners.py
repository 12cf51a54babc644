"""Manners: what a backend must not change, must copy, and must keep apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.conformance.cases import Case
from harness.conformance.expecting import expect_array, expect_batch, expect_parameters, expect_same, expect_trained
from harness.conformance.subject import Subject, whole_life
from harness.conformance.target import Target
from harness.conformance.traces import PROC
from harness.contract import tolerance
from harness.contract.arrays import Parameters, copied
from harness.contract.network import Network
from harness.contract.vocabulary import DTYPES

pytestmark = pytest.mark.manners

Opened = Callable[[Network, Parameters], Subject]
on_linux = pytest.mark.skipif(not PROC.exists(), reason="needs Linux's /proc to look at threads and files")


@pytest.mark.parametrize("dtype", DTYPES)
def test_it_never_writes_to_what_it_is_given(opened: Opened, dtype: str) -> None:
    exercise = Case(dtype=dtype).exercise()
    before = (copied(exercise.start), exercise.x.copy(), exercise.y.copy())
    whole_life(opened(exercise.network, exercise.start), exercise)
    nothing = np.zeros(1)
    expect_array("x after training", exercise.x, before[1], nothing)
    expect_array("y after training", exercise.y, before[2], nothing)
    expect_same("start weights after training", exercise.start, before[0])


def test_it_takes_arrays_that_are_read_only(opened: Opened) -> None:
    exercise = Case().exercise()
    for array in (exercise.x, exercise.y, *(part for pair in exercise.start for part in pair)):
        array.flags.writeable = False
    whole_life(opened(exercise.network, exercise.start), exercise)


def test_the_start_weights_are_copied(opened: Opened) -> None:
    exercise = Case().exercise()
    kept = copied(exercise.start)
    subject = opened(exercise.network, exercise.start)
    for weights, bias in exercise.start:
        weights[:], bias[:] = 7, 7
    expect_same("parameters after the caller's start weights changed", subject.parameters(), kept)


def test_what_it_returns_is_the_callers(target: Target, opened: Opened) -> None:
    if not target.has_reference:
        pytest.skip("an ensemble has no plain reference")
    exercise = Case().exercise()
    subject = opened(exercise.network, exercise.start)
    subject.load(exercise.x, exercise.y)
    batch = expect_batch(subject, exercise, target.precision)
    for spoilt in (subject.parameters(), subject.gradients(), [(subject.outputs(), subject.outputs())]):
        for pair in spoilt:
            pair[0][:], pair[1][:] = 7, 7
    expect_array("outputs after the caller wrote to a copy", subject.outputs(), batch.outputs, batch.allowed_outputs)
    what = "gradients after the caller wrote to a copy"
    expect_parameters(what, subject.gradients(), batch.gradients, batch.allowed_gradients)
    subject.step(0.1)
    what = "parameters after the caller wrote to copies"
    expect_trained(subject, exercise, [(exercise.rows, 0.1)], target.precision, what)


def test_what_it_returned_stays_as_it_was(opened: Opened) -> None:
    exercise = Case().exercise()
    subject = opened(exercise.network, exercise.start)
    subject.load(exercise.x, exercise.y)
    subject.batch(slice(0, 5))
    parameters, gradients, outputs = subject.parameters(), subject.gradients(), subject.outputs()
    before = copied(parameters), copied(gradients), outputs.copy()
    subject.step(0.5)
    subject.batch(slice(4, 9))
    subject.train_epoch(3, 0.5)
    expect_same("parameters returned earlier, after training went on", parameters, before[0])
    expect_same("gradients returned earlier, after training went on", gradients, before[1])
    expect_array("outputs returned earlier, after training went on", outputs, before[2], np.zeros(1))


@pytest.mark.parametrize("kind", ["alike", "different"])
def test_two_instances_live_side_by_side(target: Target, opened: Opened, kind: str) -> None:
    if not target.has_reference:
        pytest.skip("an ensemble has no plain reference")
    first, alike = Case(rows=10).exercise(), Case(rows=10).exercise(seed=8)
    different = Case(sizes=(3, 9, 2), hidden="relu", rows=6).exercise()
    exercises = (first, alike if kind == "alike" else different)
    subjects = [opened(exercise.network, exercise.start) for exercise in exercises]
    for subject, exercise in zip(subjects, exercises, strict=True):
        subject.load(exercise.x, exercise.y)
    for subject, exercise in zip(subjects, exercises, strict=True):
        subject.forward(exercise.rows)
    for subject, exercise in zip(subjects, exercises, strict=True):
        subject.backprop(exercise.rows)
        subject.step(0.1)
    for subject in subjects:
        subject.train_epoch(4, 0.1)
    for subject, exercise, name in zip(subjects, exercises, ("first", "second"), strict=True):
        schedule = [(exercise.rows, 0.1), *tolerance.epochs(len(exercise.x), 4, 0.1)]
        expect_trained(subject, exercise, schedule, target.precision, f"parameters of the {name} of two instances")


def test_closing_one_leaves_the_other_alone(target: Target, opened: Opened) -> None:
    if not target.has_reference:
        pytest.skip("an ensemble has no plain reference")
    exercise = Case().exercise()
    first, second = (opened(exercise.network, exercise.start) for _ in range(2))
    for subject in (first, second):
        subject.load(exercise.x, exercise.y)
        subject.train_epoch(4, 0.1)
    first.close()
    second.train_epoch(4, 0.1)
    schedule = list(tolerance.epochs(len(exercise.x), 4, 0.1, 2))
    what = "parameters of an instance after another one was closed"
    expect_trained(second, exercise, schedule, target.precision, what)
