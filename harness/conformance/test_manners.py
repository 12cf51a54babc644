"""Manners: what a backend must leave alone, give away and give back."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from harness import tolerance
from harness.arrays import Parameters, copied
from harness.conformance.expecting import expect_array, expect_batch, expect_parameters, expect_same, expect_trained
from harness.conformance.problems import Case, Problem
from harness.conformance.subject import Subject, fail
from harness.conformance.target import Target
from harness.conformance.traces import PROC, WINDOW, Holding, Sampler, holding, settled
from harness.network import DTYPES, Network

pytestmark = pytest.mark.manners

Opened = Callable[[Network, Parameters], Subject]
on_linux = pytest.mark.skipif(not PROC.exists(), reason="needs Linux's /proc to look at threads and files")


def _life(subject: Subject, problem: Problem) -> None:
    """Do everything once."""
    subject.load(problem.x, problem.y)
    subject.batch(slice(1, 8))
    subject.outputs()
    subject.gradients()
    subject.step(0.1)
    subject.train_epoch(4, 0.1)
    subject.forward(problem.rows)
    subject.parameters()


@pytest.mark.parametrize("dtype", DTYPES)
def test_it_never_writes_to_what_it_is_given(opened: Opened, dtype: str) -> None:
    problem = Case(dtype=dtype).problem()
    before = (copied(problem.start), problem.x.copy(), problem.y.copy())
    _life(opened(problem.network, problem.start), problem)
    nothing = np.zeros(1)
    expect_array("x after training", problem.x, before[1], nothing)
    expect_array("y after training", problem.y, before[2], nothing)
    expect_same("start weights after training", problem.start, before[0])


def test_it_takes_arrays_that_are_read_only(opened: Opened) -> None:
    problem = Case().problem()
    for array in (problem.x, problem.y, *(part for pair in problem.start for part in pair)):
        array.flags.writeable = False
    _life(opened(problem.network, problem.start), problem)


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


@on_linux
def test_it_keeps_to_its_threads(target: Target, opened: Opened) -> None:
    if target.options.get("device", "cpu") != "cpu":
        pytest.skip("the threads of a device are its own")
    limit = 1 if target.spec.launcher else target.workers
    epoch = _busy(target, opened)
    time.sleep(0.2)  # a library's idle threads spin for a while after their last use
    with Sampler() as sampler:
        _repeat(epoch, ranks=target.spec.launcher is not None)
    if len(sampler.counts) >= 10 and sampler.share_above(limit) > 0.5:
        fail(
            f"{sampler.usual} threads were busy at once in most samples of an epoch, allowed {limit}: "
            "set the library's threads in the spec's environment, or limit them in __init__"
        )


def _busy(target: Target, opened: Opened) -> Callable[[], None]:
    """Return an epoch worth watching: large enough for a library to use threads, if the backend is quick enough."""
    sizes = [(32, 32, 8), (256, 256, 8)]
    if target.spec.launcher:
        sizes.pop()  # ranks may not choose by the clock: each would choose for itself
    for size in sizes:
        problem = Case(sizes=size, rows=size[0], dtype="float32").problem()
        subject = opened(problem.network, problem.start)
        subject.load(problem.x, problem.y)
        subject.train_epoch(len(problem.x), 0.01)
        began = time.perf_counter()
        subject.train_epoch(len(problem.x), 0.01)
        if time.perf_counter() - began > 0.001:
            break
    return lambda: subject.train_epoch(len(problem.x), 0.01)


def _repeat(epoch: Callable[[], None], *, ranks: bool) -> None:
    if ranks:
        for _ in range(200):
            epoch()
        return
    deadline = time.perf_counter() + WINDOW
    while time.perf_counter() < deadline:
        epoch()


@on_linux
@pytest.mark.parametrize("what", ["threads", "processes", "files", "shared"])
def test_nothing_is_left_after_close(target: Target, what: str) -> None:
    problem = Case().problem()
    for _ in range(2):  # what a library sets up once a process is not left over
        _whole_life(target, problem)
    before = settled(lambda _: False, 0.05)
    gained = _gained(target, problem, what, before)
    if gained:
        names = {"threads": "threads", "processes": "child processes", "files": "open file descriptors",
                 "shared": "entries in /dev/shm"}  # fmt: skip
        fail(f"3 more lives left {gained} more {names[what]} after close, allowed 0")


def _gained(target: Target, problem: Problem, what: str, before: Holding) -> int:
    """Return how much was left by three lives; in shared memory only what every one of them left counts as ours."""
    if what == "shared":
        left = [_left_in_memory(target, problem) for _ in range(3)]
        return sum(map(len, left)) if all(left) else 0
    for _ in range(3):
        _whole_life(target, problem)
    allowed: int = getattr(before, what)
    after: int = getattr(settled(lambda now: getattr(now, what) <= allowed), what)
    return max(0, after - allowed) if after - allowed >= 3 else 0


def _left_in_memory(target: Target, problem: Problem) -> frozenset[str]:
    before = holding().shared
    _whole_life(target, problem)
    return settled(lambda now: now.shared <= before, 0.5).shared - before


def _whole_life(target: Target, problem: Problem) -> None:
    subject = Subject(target, problem.network, problem.start)
    try:
        _life(subject, problem)
    finally:
        subject.close()
