"""Numbers: steps, epochs and long runs against the float64 reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.conformance.cases import Case, Exercise, activations, crossed, endings
from harness.conformance.expecting import expect_batch, expect_parameters, expect_same, expect_trained
from harness.conformance.subject import Subject
from harness.conformance.target import Target
from harness.contract import tolerance
from harness.contract.arrays import Parameters, copied
from harness.contract.batching import batches
from harness.contract.network import Network
from harness.contract.vocabulary import DTYPES

pytestmark = pytest.mark.numbers

Opened = Callable[[Network, Parameters], Subject]
Schedule = list[tuple[slice, float]]


def _loaded(opened: Opened, exercise: Exercise) -> Subject:
    subject = opened(exercise.network, exercise.start)
    subject.load(exercise.x, exercise.y)
    return subject


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0.5, 3, -0.25, 1e-3])
def test_a_step_subtracts_rate_times_the_gradient(target: Target, opened: Opened, rate: float, dtype: str) -> None:
    exercise = Case(dtype=dtype).exercise()
    subject = _loaded(opened, exercise)
    expect_batch(subject, exercise, target.precision)
    subject.step(rate)
    expect_trained(subject, exercise, [(exercise.rows, rate)], target.precision, "parameters after one step")


def test_a_step_at_rate_zero_changes_nothing(opened: Opened) -> None:
    exercise = Case().exercise()
    subject = _loaded(opened, exercise)
    subject.batch(exercise.rows)
    subject.step(0.0)
    expect_same("parameters after a step at rate 0", subject.parameters(), exercise.start)
    subject.train_epoch(4, 0.0)
    expect_same("parameters after an epoch at rate 0", subject.parameters(), exercise.start)


LENGTHS = (1, 4, 7, 15)
"""Lengths of the slices of a long run: only few, because a framework compiles again for each length."""


def _schedule(rows: int, steps: int) -> Schedule:
    """Return steps at changing rates over slices of changing length and place."""
    random = np.random.default_rng(11)
    lengths = [min(rows, int(length)) for length in random.choice(LENGTHS, steps)]
    starts = [int(random.integers(0, rows - length + 1)) for length in lengths]
    rates = random.choice((0.05, 0.1, 0.02), steps)
    return [
        (slice(start, start + length), float(rate)) for start, length, rate in zip(starts, lengths, rates, strict=True)
    ]


@pytest.mark.parametrize(("hidden", "ending", "dtype"), crossed(activations(), endings(), DTYPES))
def test_twenty_five_steps_end_where_the_reference_ends(
    target: Target, opened: Opened, hidden: str, ending: tuple[str, str], dtype: str
) -> None:
    exercise = Case(hidden=hidden, output=ending[0], loss=ending[1], dtype=dtype, rows=15).exercise()
    subject = _loaded(opened, exercise)
    schedule = _schedule(15, 25)
    for rows, rate in schedule:
        subject.batch(rows)
        subject.step(rate)
    expect_trained(subject, exercise, schedule, target.precision, "parameters after 25 steps")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [1, 4, 8, 33, 50])
def test_an_epoch_equals_the_plain_loop(target: Target, opened: Opened, batch: int, dtype: str) -> None:
    exercise = Case(rows=33, dtype=dtype).exercise()
    subject, plain = _loaded(opened, exercise), _loaded(opened, exercise)
    subject.train_epoch(batch, 0.1)
    schedule = list(tolerance.epochs(33, batch, 0.1))
    trained = tolerance.after_training(*exercise, schedule, target.precision)
    expect_parameters("parameters after train_epoch", subject.parameters(), trained.parameters, trained.allowed)
    for rows in batches(33, batch):
        plain.batch(rows)
        plain.step(0.1)
    twice = [(2 * weights, 2 * bias) for weights, bias in trained.allowed]
    expect_parameters("train_epoch against forward, backprop and step", subject.parameters(), plain.parameters(), twice)


@pytest.mark.parametrize("batch", [1, 5])
def test_a_set_of_one_row_trains(target: Target, opened: Opened, batch: int) -> None:
    exercise = Case(rows=1).exercise()
    subject = _loaded(opened, exercise)
    for _ in range(3):
        subject.train_epoch(batch, 0.2)
    expect_trained(subject, exercise, [(slice(0, 1), 0.2)] * 3, target.precision, "parameters after three epochs")


@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_size_and_rate_may_change_in_one_life(target: Target, opened: Opened, dtype: str) -> None:
    exercise = Case(rows=23, dtype=dtype).exercise()
    subject = _loaded(opened, exercise)
    schedule: Schedule = []
    for batch, rate in ((4, 0.1), (23, 0.2), (1, 0.02), (7, 0.3), (100, 0.1), (2, 0.05)):
        subject.train_epoch(batch, rate)
        schedule += tolerance.epochs(23, batch, rate)
        subject.batch(slice(3, 9))
        subject.step(rate)
        schedule.append((slice(3, 9), rate))
    expect_trained(subject, exercise, schedule, target.precision, "parameters after six epochs")


def test_training_goes_on_with_another_set(target: Target, opened: Opened) -> None:
    first, second = Case(rows=9).exercise(), Case(rows=14).exercise(seed=4)
    subject = _loaded(opened, first)
    subject.train_epoch(4, 0.1)
    subject.load(second.x, second.y)
    subject.train_epoch(4, 0.1)
    both = Exercise(first.network, first.start, np.vstack([first.x, second.x]), np.vstack([first.y, second.y]))
    later = [(slice(rows.start + 9, rows.stop + 9), rate) for rows, rate in tolerance.epochs(14, 4, 0.1)]
    schedule = [*tolerance.epochs(9, 4, 0.1), *later]
    expect_trained(subject, both, schedule, target.precision, "parameters after an epoch on each of two sets")


@pytest.mark.parametrize("rows", [8, 11], ids=["full-batches", "ragged"])
def test_an_epoch_takes_the_set_and_the_rate_of_the_moment(target: Target, opened: Opened, rows: int) -> None:
    """A compiled step may have captured its first set or its first rate; no other check would see that."""
    first, second = Case(rows=rows).exercise(), Case(rows=rows).exercise(seed=4)
    subject = _loaded(opened, first)
    subject.train_epoch(4, 0.1)
    subject.train_epoch(4, 0.3)
    subject.load(second.x, second.y)
    subject.train_epoch(4, 0.3)
    subject.train_epoch(4, 0.05)
    both = Exercise(first.network, first.start, np.vstack([first.x, second.x]), np.vstack([first.y, second.y]))
    schedule = [*tolerance.epochs(rows, 4, 0.1), *tolerance.epochs(rows, 4, 0.3)]
    for rate in (0.3, 0.05):
        schedule += [(slice(at.start + rows, at.stop + rows), rate) for at, _ in tolerance.epochs(rows, 4, rate)]
    expect_trained(subject, both, schedule, target.precision, "parameters after two epochs on each of two equal sets")


def test_a_large_net_trains_through_products_of_every_transpose(target: Target, opened: Opened) -> None:
    """The products are large enough for a library to use threads; some libraries fail if several workers call them."""
    sizes = (64, 48, 40, 5) if target.spec.algebra == "handwritten" else (256, 256, 192, 10)
    exercise = Case(sizes=sizes, hidden="tanh", rows=sizes[0] + 1, dtype="float32").exercise()
    rows = len(exercise.x)
    subject = _loaded(opened, exercise)
    for _ in range(3):
        subject.train_epoch(sizes[0] // 2, 0.05)
    schedule = list(tolerance.epochs(rows, sizes[0] // 2, 0.05, 3))
    expect_trained(subject, exercise, schedule, target.precision, "parameters after three epochs")
    at = copied(subject.parameters())
    for batch in batches(rows, sizes[0]):
        expect_batch(subject, exercise, target.precision, rows=batch, at=at)


def test_every_number_of_workers_ends_in_the_same_weights(
    target: Target, opened: Opened, record_property: Callable[[str, object], None]
) -> None:
    exercise = Case(rows=21).exercise()
    subject = _loaded(opened, exercise)
    for _ in range(3):
        subject.train_epoch(8, 0.1)
    trained = tolerance.after_training(*exercise, tolerance.epochs(21, 8, 0.1, 3), target.precision)
    got = subject.parameters()
    expect_parameters("parameters after three epochs", got, trained.parameters, trained.allowed)
    record_property("weights", [part.ravel().tolist() for pair in got for part in pair])
    record_property("allowed", [part.ravel().tolist() for pair in trained.allowed for part in pair])
