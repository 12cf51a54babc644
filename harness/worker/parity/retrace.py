"""A timed sample that the reference is too slow for is trained again by the backend's own steps, which are checked.

A second instance starts from the weights before the sample and goes over the very same batches by ``forward``,
``backprop`` and ``step``. At steps that chance chooses, what these three give is held to the reference. So the steps
are proven to be right, and the sample must end where they end.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.contract.arrays import Parameters
from harness.contract.backend import Backend
from harness.contract.batching import batches
from harness.contract.tolerance import Difference, compare, compare_parameters, units
from harness.contract.tolerance import one_batch as truth_of_a_batch
from harness.worker.observation import BatchResult, one_batch, one_step
from harness.worker.parity.replay import Replay, Sample, arrays_agree, nudged
from harness.worker.parity.truth import precision
from harness.worker.problem import Problem

SPOTS = 4
"""Steps of a sample that are held to the reference."""

ROUNDINGS = 8.0
"""Units in the last place by which ``step`` may miss ``weights - rate * gradients``."""

BuildAt = Callable[[Parameters], Backend]
"""Builds a fresh instance of the cell's backend that starts from these weights."""


class OutOfTimeError(Exception):
    """The backend's own steps take longer than the allowance."""


@dataclass(frozen=True)
class _Deadline:
    end: float

    def check(self) -> None:
        if time.monotonic() > self.end:
            raise OutOfTimeError


def retrace(build: BuildAt, problem: Problem, samples: list[Sample], repeat: int, seconds: float, part: int) -> Replay:
    """Hold one sample, chosen by chance, to the backend's own steps; give up after ``seconds``.

    ``part`` is the largest number of rows whose truth is affordable: a larger batch is checked on its first rows.
    """
    sample = secrets.choice(samples)
    said: dict[str, Any] = {"samples": 1, "rows": problem.rows, "epochs": repeat, "how": "own steps"}
    deadline = _Deadline(time.monotonic() + seconds)
    try:
        end, reason = _steps(build, problem, sample.before, repeat, deadline, part)
        if reason:
            return Replay(reason, {**said, "verdict": "compared"})
        # The shadow that shows what rounding does costs as much again, so it runs only where the ends differ.
        verdict, reason = arrays_agree(problem, sample, end, end, repeat, by="its own steps'")
        if reason:
            shadow, _ = _steps(build, problem, nudged(problem.network, sample.before), repeat, deadline, 0)
            verdict, reason = arrays_agree(problem, sample, end, shadow, repeat, by="its own steps'")
    except OutOfTimeError:
        return Replay("", {**said, "samples": 0, "verdict": "too dear"})
    return Replay(reason, {**said, "verdict": verdict})


def _steps(
    build: BuildAt, problem: Problem, start: Parameters, repeat: int, deadline: _Deadline, part: int
) -> tuple[Parameters, str]:
    """Return the weights after these epochs step by step, and what was wrong; nothing is checked if ``part`` is 0."""
    slices = [rows for _ in range(repeat) for rows in batches(problem.rows, problem.cell.batch)]
    spots = set(secrets.SystemRandom().sample(range(len(slices)), min(SPOTS, len(slices)))) if part else set()
    with build(start) as backend:
        backend.load(problem.x, problem.y)
        for number, rows in enumerate(slices):
            deadline.check()
            if number not in spots:
                backend.forward(rows)
                backend.backprop(rows)
                backend.step(problem.cell.rate)
            elif reason := _checked(backend, problem, rows, part):
                return [], f"{reason}, at step {number + 1} of a timed sample trained again"
        backend.sync()
        return backend.parameters(), ""


def _checked(backend: Backend, problem: Problem, rows: slice, part: int) -> str:
    """Train on this batch, and return what was wrong with it."""
    found: list[Difference | None] = []
    if rows.stop - rows.start > part:
        found += pass_differences(problem, one_batch(backend, slice(rows.start, rows.start + part)))
    result, after = one_step(backend, rows, problem.cell.rate)
    if rows.stop - rows.start <= part:
        found += pass_differences(problem, result)
    found.append(step_difference(problem, result, after))
    return "; ".join(str(difference) for difference in found if difference)


def pass_differences(problem: Problem, result: BatchResult) -> list[Difference | None]:
    """Compare the outputs and gradients of one batch with those of the reference at the same weights."""
    x, y = problem.x[result.rows], problem.y[result.rows]
    true = truth_of_a_batch(problem.network, result.weights, x, y, precision(problem.cell))
    return [
        compare("outputs of one batch", result.outputs, true.outputs, true.allowed_outputs),
        compare_parameters("gradients of one batch", result.gradients, true.gradients, true.allowed_gradients),
    ]


def step_difference(problem: Problem, result: BatchResult, after: Parameters) -> Difference | None:
    """Compare what ``step`` left with ``weights - rate * gradients``, the gradients being the backend's own."""
    stored, rate = units(problem.network.dtype).stored, problem.cell.rate
    true: Parameters = []
    allowed: Parameters = []
    for pair, slopes in zip(result.weights, result.gradients, strict=True):
        moves = [rate * np.asarray(slope, np.float64) for slope in slopes]
        ends = [np.asarray(array, np.float64) - move for array, move in zip(pair, moves, strict=True)]
        rooms = [
            ROUNDINGS * stored * (np.abs(end) + np.abs(move)) + np.finfo(problem.network.dtype).tiny
            for end, move in zip(ends, moves, strict=True)
        ]
        true.append((ends[0], ends[1]))
        allowed.append((rooms[0], rooms[1]))
    return compare_parameters("parameters after one step", after, true, allowed)
