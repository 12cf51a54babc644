"""Contract: how a backend must live, from its start weights to its last close."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, product

import numpy as np
import pytest

from harness.conformance.cases import Case, activations, endings
from harness.conformance.expecting import expect_batch, expect_same
from harness.conformance.subject import Subject, fail
from harness.conformance.target import Target
from harness.contract.arrays import Parameters
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.contract.vocabulary import DTYPES

pytestmark = pytest.mark.contract

Opened = Callable[[Network, Parameters], Subject]


def test_it_starts_with_exactly_the_weights_that_it_was_given(opened: Opened) -> None:
    for dtype in DTYPES:
        exercise = Case(dtype=dtype).exercise()
        subject = opened(exercise.network, exercise.start)
        expect_same("parameters", subject.parameters(), exercise.start)


def test_each_instance_starts_with_its_own_weights(target: Target, opened: Opened) -> None:
    """A plugin may have kept the weights of the first instance of the process, so its network is built again."""
    networks = [Case().exercise().network]
    if target.first_network is not None:
        networks.append(target.first_network)
    for network in networks:
        for seed in (21, 22):
            start = initial_parameters(network, seed)
            expect_same("parameters of a later instance", opened(network, start).parameters(), start)


def test_it_keeps_the_network_and_the_workers(target: Target, opened: Opened) -> None:
    exercise = Case().exercise()
    backend = opened(exercise.network, exercise.start).backend
    if backend.network != exercise.network:
        fail(f"network is {backend.network}, should be {exercise.network}: call super().__init__ first")
    if backend.workers != target.workers:
        fail(f"workers is {backend.workers}, should be {target.workers}: call super().__init__ first")
    if backend.rows != 0:
        fail(f"rows is {backend.rows} before load, should be 0")


@pytest.mark.parametrize(("first", "second"), [(9, 4), (4, 23), (6, 6)], ids=["smaller", "larger", "equal"])
def test_another_set_may_be_loaded(target: Target, opened: Opened, first: int, second: int) -> None:
    before, after = Case(rows=first).exercise(), Case(rows=second).exercise(seed=5)
    subject = opened(before.network, before.start)
    subject.load(before.x, before.y)
    subject.batch(before.rows)
    subject.load(after.x, after.y)
    expect_same("parameters after the second load", subject.parameters(), before.start)
    if target.has_reference:
        expect_batch(subject, after, target.precision, at=before.start)


def test_closing_twice_is_fine(opened: Opened) -> None:
    exercise = Case().exercise()
    subject = opened(exercise.network, exercise.start)
    subject.load(exercise.x, exercise.y)
    subject.train_epoch(4, 0.1)
    subject.close()
    subject.close()


def test_closing_before_load_is_fine(opened: Opened) -> None:
    exercise = Case().exercise()
    opened(exercise.network, exercise.start).close()


def test_start_weights_of_a_wrong_shape_are_refused(target: Target) -> None:
    exercise = Case().exercise()
    wrong = [(weights[:, :1], bias) for weights, bias in exercise.start]
    try:
        backend = target.make(exercise.network, wrong)
    except Exception:  # noqa: BLE001  the contract says that it is refused, but not by which error
        return
    backend.close()
    fail("__init__ took start weights of a wrong shape: call super().__init__ first, which refuses them")


def test_what_it_cannot_do_it_says_before_the_second_batch(target: Target) -> None:
    every = product(activations(), endings(), DTYPES)
    each_once = zip(cycle(activations()), endings(), cycle(DTYPES), strict=False)
    for hidden, (output, loss), dtype in each_once if target.level == "quick" else every:
        exercise = Case(hidden=hidden, output=output, loss=loss, dtype=dtype, rows=4).exercise()
        try:
            _live(Subject(target, exercise.network, exercise.start), exercise.x, exercise.y)
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
