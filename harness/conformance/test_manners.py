"""Manners: what a backend must leave alone, give away and give back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.conformance.expecting import expect_array, expect_batch, expect_parameters, expect_same, expect_trained
from harness.conformance.lives import whole_life
from harness.conformance.problems import Case
from harness.conformance.subject import Subject
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
    problem = Case(dtype=dtype).problem()
    before = (copied(problem.start), problem.x.copy(), problem.y.copy())
    whole_life(opened(problem.network, problem.start), problem)
    nothing = np.zeros(1)
    expect_array("x after training", problem.x, before[1], nothing)
    expect_array("y after training", problem.y, before[2], nothing)
    expect_same("start weights after training", problem.start, before[0])


def test_it_takes_arrays_that_are_read_only(opened: Opened) -> None:
    problem = Case().problem()
    for array in (problem.x, problem.y, *(part for pair in problem.start for part in pair)):
        array.flags.writeable = False
    whole_life(opened(problem.network, problem.start), problem)


def test_the_start_weights_are_copied(opened: Opened) -> None:
    problem = Case().problem()
    kept = copied(problem.start)
    subject = opened(problem.network, problem.start)
    for weights, bias in problem.start:
        weights[:], bias[:] = 7, 7
    expect_same("parameters after the caller's start weights changed", subject.parameters(), kept)


def test_what_it_returns_is_the_callers(target: Target, opened: Opened) -> None:
    if not target.has_reference:
        pytest.skip("an ensemble has no plain reference")
    problem = Case().problem()
    subject = opened(problem.network, problem.start)
    subject.load(problem.x, problem.y)
    batch = expect_batch(subject, problem, target.precision)
    for spoilt in (subject.parameters(), subject.gradients(), [(subject.outputs(), subject.outputs())]):
        for pair in spoilt:
            pair[0][:], pair[1][:] = 7, 7
    expect_array("outputs after the caller wrote to a copy", subject.outputs(), batch.outputs, batch.allowed_outputs)
    what = "gradients after the caller wrote to a copy"
    expect_parameters(what, subject.gradients(), batch.gradients, batch.allowed_gradients)
    subject.step(0.1)
    what = "parameters after the caller wrote to copies"
    expect_trained(subject, problem, [(problem.rows, 0.1)], target.precision, what)


def test_what_it_returned_stays_as_it_was(opened: Opened) -> None:
    problem = Case().problem()
    subject = opened(problem.network, problem.start)
    subject.load(problem.x, problem.y)
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
    one = Case(rows=10).problem()
    other = Case(rows=10).problem(seed=8) if kind == "alike" else Case(sizes=(3, 9, 2), hidden="relu", rows=6).problem()
    subjects = [opened(problem.network, problem.start) for problem in (one, other)]
    for subject, problem in zip(subjects, (one, other), strict=True):
        subject.load(problem.x, problem.y)
    for subject, problem in zip(subjects, (one, other), strict=True):
        subject.forward(problem.rows)
    for subject, problem in zip(subjects, (one, other), strict=True):
        subject.backprop(problem.rows)
        subject.step(0.1)
    for subject in subjects:
        subject.train_epoch(4, 0.1)
    for subject, problem, name in zip(subjects, (one, other), ("first", "second"), strict=True):
        schedule = [(problem.rows, 0.1), *tolerance.epochs(len(problem.x), 4, 0.1)]
        expect_trained(subject, problem, schedule, target.precision, f"parameters of the {name} of two instances")


def test_closing_one_leaves_the_other_alone(target: Target, opened: Opened) -> None:
    if not target.has_reference:
        pytest.skip("an ensemble has no plain reference")
    problem = Case().problem()
    first, second = (opened(problem.network, problem.start) for _ in range(2))
    for subject in (first, second):
        subject.load(problem.x, problem.y)
        subject.train_epoch(4, 0.1)
    first.close()
    second.train_epoch(4, 0.1)
    schedule = list(tolerance.epochs(len(problem.x), 4, 0.1, 2))
    what = "parameters of an instance after another one was closed"
    expect_trained(second, problem, schedule, target.precision, what)
