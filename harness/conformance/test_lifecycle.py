"""Contract: how a backend must live, from its start weights to its last close."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, product

import numpy as np
import pytest

from harness.conformance.expecting import expect_batch, expect_same
from harness.conformance.problems import Case, activations, endings
from harness.conformance.subject import Subject, fail
from harness.conformance.target import Target
from harness.contract.arrays import Parameters
from harness.contract.network import Network
from harness.contract.vocabulary import DTYPES

pytestmark = pytest.mark.contract

Opened = Callable[[Network, Parameters], Subject]


def test_it_starts_with_exactly_the_weights_that_it_was_given(opened: Opened) -> None:
    for dtype in DTYPES:
        problem = Case(dtype=dtype).problem()
        subject = opened(problem.network, problem.start)
        expect_same("parameters", subject.parameters(), problem.start)


def test_it_keeps_the_network_and_the_workers(target: Target, opened: Opened) -> None:
    problem = Case().problem()
    backend = opened(problem.network, problem.start).backend
    if backend.network != problem.network:
        fail(f"network is {backend.network}, should be {problem.network}: call super().__init__ first")
    if backend.workers != target.workers:
        fail(f"workers is {backend.workers}, should be {target.workers}: call super().__init__ first")
    if backend.rows != 0:
        fail(f"rows is {backend.rows} before load, should be 0")


@pytest.mark.parametrize(("first", "second"), [(9, 4), (4, 23), (6, 6)], ids=["smaller", "larger", "equal"])
def test_another_set_may_be_loaded(target: Target, opened: Opened, first: int, second: int) -> None:
    before, after = Case(rows=first).problem(), Case(rows=second).problem(seed=5)
    subject = opened(before.network, before.start)
    subject.load(before.x, before.y)
    subject.batch(before.rows)
    subject.load(after.x, after.y)
    expect_same("parameters after the second load", subject.parameters(), before.start)
    if target.has_reference:
        expect_batch(subject, after, target.precision, at=before.start)


def test_closing_twice_is_fine(opened: Opened) -> None:
    problem = Case().problem()
    subject = opened(problem.network, problem.start)
    subject.load(problem.x, problem.y)
    subject.train_epoch(4, 0.1)
    subject.close()
    subject.close()


def test_closing_before_load_is_fine(opened: Opened) -> None:
    problem = Case().problem()
    opened(problem.network, problem.start).close()


def test_closing_after_a_failed_start_is_fine(target: Target) -> None:
    problem = Case().problem()
    backend = target.cls.__new__(target.cls)
    wrong = [(weights[:, :1], bias) for weights, bias in problem.start]
    try:
        backend.__init__(problem.network, wrong, workers=target.workers, **target.options)  # type: ignore[misc]  # on purpose
    except Exception as error:  # noqa: BLE001  that it is refused is what is looked at
        refused: Exception | None = error
    else:
        refused = None
    try:
        backend.close()
        backend.close()
    except Exception as error:  # noqa: BLE001  whatever a backend raises is what the check reports
        fail(f"close after a failed __init__ raised {type(error).__name__}: {error}")
    if refused is None:
        fail("__init__ took start weights of a wrong shape: call super().__init__ first, which refuses them")


def test_what_it_cannot_do_it_says_before_the_second_batch(target: Target) -> None:
    every = product(activations(), endings(), DTYPES)
    each_once = zip(cycle(activations()), endings(), cycle(DTYPES), strict=False)
    for hidden, (output, loss), dtype in each_once if target.level == "quick" else every:
        problem = Case(hidden=hidden, output=output, loss=loss, dtype=dtype, rows=4).problem()
        try:
            _live(Subject(target, problem.network, problem.start), problem.x, problem.y)
        except pytest.skip.Exception:
            continue


def _live(subject: Subject, x: np.ndarray, y: np.ndarray) -> None:
    try:
        subject.load(x, y)
        subject.batch(slice(0, 3))
        subject.step(0.1)
        subject.batch(slice(3, 4))
        subject.step(0.1)
        subject.train_epoch(2, 0.1)
        subject.batch(slice(0, 4))
        subject.outputs(), subject.gradients(), subject.parameters()
    finally:
        subject.close()
