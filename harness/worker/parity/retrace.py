"""A timed sample that the reference is too slow for is trained again by the backend itself, in pieces that are checked.

A second instance starts from the weights before the sample and trains the very same batches, but is given a few of them
at a time: ``load`` of a piece of the set, then one ``train_epoch``. All pieces are small enough for the reference, and
the backend cannot know which of them are held to it. So a backend that is right on every piece, and ends where the
timed sample ended, was right in the timed sample.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.contract.arrays import Parameters, copied
from harness.contract.backend import Backend
from harness.contract.tolerance import Difference, compare, compare_parameters, one_batch, units
from harness.worker.clock import epoch
from harness.worker.observation import BatchResult, checked
from harness.worker.parity.plan import piece
from harness.worker.parity.replay import OutOfTimeError, Replay, Sample, arrays_agree, bounded, nudged
from harness.worker.parity.truth import precision
from harness.worker.problem import Problem

SPOTS = 3
"""Pieces of a sample that are held to the reference."""

BY = "those of its own training in pieces"

ROUNDINGS = 8.0
"""Units in the last place by which ``step`` may miss ``weights - rate * gradients``."""

BuildAt = Callable[[Parameters], Backend]
"""Builds a fresh instance of the cell's backend that starts from these weights."""

Spot = tuple[Problem, Sample]
"""A piece that is checked: the problem that it is, and the weights before and after it."""


def retrace(build: BuildAt, problem: Problem, samples: list[Sample], repeat: int, seconds: float) -> Replay:
    """Hold one sample, chosen by chance, to the backend's own training in pieces; give up after ``seconds``."""
    said: dict[str, Any] = {"samples": 0, "rows": problem.rows, "epochs": repeat, "how": "own pieces"}
    rows, deadline = piece(problem.cell, problem.rows), time.monotonic() + seconds
    if rows == 0:
        return Replay("", {**said, "verdict": "too dear"})
    sample = secrets.choice(samples)
    try:
        end, spots = _trained(build, problem, sample.before, repeat, rows, deadline)
        verdict, reason = _checked(spots, said)
        if not reason:
            agreed, reason = arrays_agree(problem, sample, end, end, repeat, by=BY)
            if reason:  # only now, since the shadow that shows what rounding does costs as much again
                start = nudged(problem.network, sample.before)
                shadow, _ = _trained(build, problem, start, repeat, rows, deadline)
                agreed, reason = arrays_agree(problem, sample, end, shadow, repeat, by=BY)
            verdict = verdict if agreed == "compared" else agreed
    except OutOfTimeError:
        return Replay("", {**said, "verdict": "too dear"})
    return Replay(reason, {**said, "samples": 1, "piece": rows, "verdict": verdict})


def _trained(
    build: BuildAt, problem: Problem, start: Parameters, repeat: int, rows: int, deadline: float
) -> tuple[Parameters, list[Spot]]:
    """Return the weights after these epochs, trained piece by piece, and the pieces that chance chose to be checked."""
    cell = problem.cell
    begins = [begin for _ in range(repeat) for begin in range(0, problem.rows, rows)]
    chosen = set(secrets.SystemRandom().sample(range(len(begins)), min(SPOTS, len(begins))))
    spots: list[Spot] = []
    with build(start) as backend:
        for number, begin in enumerate(begins):
            if time.monotonic() > deadline:
                raise OutOfTimeError
            part = problem.part(slice(begin, begin + rows))
            before = _weights(backend) if number in chosen else []
            backend.load(part.x, part.y)
            epoch(backend, cell.batch, cell.rate)
            if number in chosen:
                spots.append((part, Sample(before, _weights(backend), number + 1)))
        return _weights(backend), spots


def _weights(backend: Backend) -> Parameters:
    return copied(checked("parameters", backend.network, backend.parameters()))


def _checked(spots: list[Spot], said: dict[str, Any]) -> tuple[str, str]:
    """Return whether any piece could be compared with the reference, and what was wrong with the first wrong one."""
    verdict = "not comparable"
    for problem, sample in spots:
        result = bounded(problem, sample, 1, said, f"piece {sample.number} of a timed sample trained again")
        if result.difference:
            return "compared", result.difference
        verdict = "compared" if result.facts["verdict"] == "compared" else verdict
    return verdict, ""


def pass_differences(problem: Problem, result: BatchResult) -> list[Difference | None]:
    """Compare the outputs and gradients of one batch with those of the reference at the same weights."""
    x, y = problem.x[result.rows], problem.y[result.rows]
    true = one_batch(problem.network, result.weights, x, y, precision(problem.cell))
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
