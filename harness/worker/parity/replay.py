"""What the clock saw, held to the truth: timed samples, drawn by chance, are trained again by the reference.

The weights are copied before and after every timed sample, outside the clock. Which of them are replayed is drawn
afterwards, by the system's own randomness, so a backend cannot know it. The reference starts from the weights before a
sample and trains the very same batches; the weights after it must agree. This holds for the instance whose times stand
in the row, on the whole set, whatever that instance did before.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.contract.arrays import Array, Parameters, copied
from harness.contract.backend import Backend
from harness.contract.batching import batches
from harness.contract.losses import output_delta
from harness.contract.network import Network
from harness.contract.registry import activation
from harness.contract.tolerance import compare_parameters, units
from harness.worker.observation import checked
from harness.worker.parity.plan import LOOSE, cost
from harness.worker.parity.truth import compute, finite, flat, precision
from harness.worker.problem import Problem

SECONDS = 2.0
"""What a replay may take beside the time that the timed samples took."""

BARE = {"float32": 12.0, "float64": 6.0}
"""Plain training, twice, takes so many times less than ``cost`` tells of the reference with its bounds."""

ROOM = 64 << 20
"""Bytes for copies of the weights; where they are too large for every sample, chance chooses which are kept."""

SPEED = 2e10
"""Operations a second: a guess from which the timed epochs' seconds follow, so that no cheat shortens its own check."""

MOVED = 64.0
"""Units in the last place by which plain training must move some weight before a sample that moved none is wrong."""

DEFERRED = 0.02
"""Seconds that a first look must take longer than a second one before work counts as left outside the clock."""

SHARE = {"ieee": 0.005, "tf32": 0.05, "bf16": 0.25}
"""By which part of an array's movement the end may differ, where no bound of every element is affordable."""

SHADOWS = 10.0
"""One shadow stands for all roundings; a right backend may lie so many times further out."""


class OutOfTimeError(Exception):
    """A replay takes longer than the cell can spare."""


@dataclass(frozen=True)
class Sample:
    """The weights before and after one timed sample."""

    before: Parameters
    after: Parameters
    number: int
    """Counted from 1."""


class Recorder:
    """Looks at the weights around every timed sample, and keeps the copies around as many samples as have room."""

    def __init__(self, backend: Backend) -> None:
        self.kept: list[Sample] = []
        self.extra: list[float] = []
        """By how many seconds the first look after each sample took longer than a second one."""
        self._backend, self._count = backend, 0
        self._last = self._weights()
        self._room = max(1, ROOM // sum(array.nbytes for array in flat(self._last)))

    def look(self) -> None:
        """Copy the weights after a sample; where there is no room, it may take the place of one that chance chooses."""
        clock = time.perf_counter
        begin = clock()
        now = self._weights()
        between = clock()
        self._weights()
        self.extra.append(2 * between - begin - clock())
        self._count += 1
        sample = Sample(self._last, now, self._count)
        if len(self.kept) < self._room:
            self.kept.append(sample)
        elif (place := secrets.randbelow(self._count)) < self._room:
            self.kept[place] = sample
        self._last = now

    def _weights(self) -> Parameters:
        return checked("parameters", self._backend.network, self._backend.parameters())


@dataclass(frozen=True)
class Replay:
    """What the replay came to: ``difference`` is empty where the end agrees or nothing could be said."""

    difference: str
    facts: dict[str, Any]


def deferred(extra: list[float], seconds: list[float], repeat: int) -> str:
    """Return why the times are no times, if every first look at the weights took longer than the sample before it.

    A backend that trains only when somebody looks leaves its work outside the clock. What one look copies, a second
    look copies too, so the difference is work that ``sync`` should have waited for.
    """
    least, longest = min(extra), max(seconds) * repeat
    if len(extra) < 2 or least < max(DEFERRED, longest):
        return ""
    return (
        f"work was left outside the clock: after sync(), parameters() took {least:.3g} s longer than a second call, "
        f"and a timed sample took at most {longest:.3g} s"
    )


def allowance(problem: Problem, repeat: int, spent: float) -> float:
    """Return the seconds that a replay may take: those of the timed samples, at least a guess from sizes, and more."""
    cell = problem.cell
    guess = cell.epochs * repeat * problem.rows * problem.network.flops_per_example / SPEED
    return SECONDS + min(max(spent, guess), cell.time_limit / 10)


def idle(problem: Problem, samples: list[Sample], repeat: int) -> str:
    """Return why a timed sample cannot be right: it moved no weight at all, though plain training does.

    This is for training that cannot be compared. Where training settles, a right epoch may end exactly where it began,
    so the same epochs are trained by plain NumPy first: only if their end lies elsewhere did the sample do nothing.
    """
    unit = MOVED * units(problem.network.dtype).stored
    for sample in samples:
        if not all(np.array_equal(*pair) for pair in zip(flat(sample.before), flat(sample.after), strict=True)):
            continue
        try:
            ends = _trained(problem, sample.before, repeat, time.monotonic() + problem.cell.time_limit / 10)
        except OutOfTimeError:
            return ""
        moved = [
            any(
                bool((np.abs(now - was) > unit * np.abs(was)).any())
                for was, now in zip(flat(sample.before), flat(end), strict=True)
            )
            for end in ends
        ]
        if all(moved):
            return f"timed sample {sample.number} moved no weight, though plain training of the same epochs moves some"
    return ""


def replay(problem: Problem, samples: list[Sample], repeat: int, seconds_allowed: float) -> Replay:
    """Train samples again from their own starts, as many as the time allows, in an order that chance chooses.

    The first sample that differs ends the replay.
    """
    seconds = cost(problem.network, problem.rows, problem.cell.batch) * repeat
    said = {"samples": 0, "rows": problem.rows, "epochs": repeat, "verdict": "too dear", "how": ""}
    if seconds / BARE[problem.network.dtype] > seconds_allowed:
        return Replay("", said)
    judge, count = (bounded, int(SECONDS / seconds)) if seconds <= SECONDS else (_bare, 1)
    chosen = secrets.SystemRandom().sample(samples, min(count, len(samples)))
    verdicts = set()
    for number, sample in enumerate(chosen, start=1):
        result = judge(problem, sample, repeat, said)
        verdicts.add(result.facts["verdict"])
        said = {**result.facts, "samples": number}
        if result.difference:
            return Replay(result.difference, said)
    best = [verdict for verdict in ("compared", "not comparable", "too dear") if verdict in verdicts]
    return Replay("", {**said, "verdict": best[0]})


def head_only(parity: Mapping[str, Any], replayed: Mapping[str, Any]) -> list[str]:
    """Return a warning where no timed epoch could be held to the truth and only a head of the set was compared."""
    if replayed["verdict"] == "compared" or parity["compared"] == "epoch":
        return []
    return [f"head only: an epoch of the first {parity['rows']} rows was compared, and nothing of what was timed"]


def bounded(problem: Problem, sample: Sample, repeat: int, said: dict[str, Any], where: str = "") -> Replay:
    """Compare every element with its own bound."""
    truth = compute(replace(problem, start=sample.before), repeat)
    if not finite(truth) or truth.looseness > LOOSE:
        return Replay("", {**said, "verdict": "not comparable"})
    what = f"parameters after {where or f'timed sample {sample.number}'}"
    difference = compare_parameters(what, sample.after, truth.parameters, truth.allowed)
    return Replay(str(difference or ""), {**said, "verdict": "compared", "how": "every element"})


def _bare(problem: Problem, sample: Sample, repeat: int, said: dict[str, Any]) -> Replay:
    """Compare whole arrays: how far the end lies from the reference's, against how far the sample moved them."""
    try:
        truth, shadow = _trained(problem, sample.before, repeat, time.monotonic() + problem.cell.time_limit / 5)
    except OutOfTimeError:  # the machine is slower than the estimate from sizes
        return Replay("", {**said, "verdict": "too dear"})
    verdict, reason = arrays_agree(problem, sample, truth, shadow, repeat)
    return Replay(reason, {**said, "verdict": verdict, "how": "whole arrays"})


def arrays_agree(
    problem: Problem,
    sample: Sample,
    truth: Parameters,
    shadow: Parameters,
    repeat: int,
    by: str = "those of the reference",
) -> tuple[str, str]:
    """Return the verdict on a sample's end, held to ``truth`` array by array, and the reason if it is wrong."""
    room = SHARE[precision(problem.cell)]
    steps = math.ceil(problem.rows / problem.cell.batch) * repeat
    stored = units(problem.network.dtype).stored
    sides = (_names(sample.after), flat(sample.before), flat(sample.after), flat(truth), flat(shadow))
    for name, before, after, true, other in zip(*sides, strict=True):
        moved, noise = _distance(true, before), _distance(other, true)
        rounding = 8 * stored * math.sqrt(steps) * float(np.linalg.norm(true))
        if not math.isfinite(moved) or SHADOWS * noise > moved + rounding:
            return "not comparable", ""
        missed, allowed = _distance(after, true), room * moved + SHADOWS * noise + rounding
        if not missed <= allowed:
            where = f"{name} after timed sample {sample.number}"
            return "compared", f"{where} are {missed:.3g} away from {by}, allowed {allowed:.3g}"
    return "compared", ""


def _trained(problem: Problem, start: Parameters, repeat: int, deadline: float) -> tuple[Parameters, Parameters]:
    """Return the weights of plain training in the network's dtype, and those of a run that began half a unit away."""
    weights, shadow = copied(start), nudged(problem.network, start)
    with np.errstate(all="ignore"):
        for rows in [rows for _ in range(repeat) for rows in batches(problem.rows, problem.cell.batch)]:
            if time.monotonic() > deadline:
                raise OutOfTimeError
            for parameters in (weights, shadow):
                _step(problem.network, parameters, problem.x[rows], problem.y[rows], problem.cell.rate)
    return weights, shadow


def nudged(network: Network, start: Parameters) -> Parameters:
    """Return copies of these weights, each moved by a unit in its last place, up or down."""
    stored, signs = units(network.dtype).stored, np.random.default_rng(20240229)
    shadow = copied(start)
    for array in flat(shadow):
        np.multiply(array, 1 + stored * signs.choice((-2.0, 2.0), array.shape), out=array, casting="same_kind")
    return shadow


def _step(network: Network, parameters: Parameters, x: Array, y: Array, rate: float) -> None:
    """Train on one batch in place: the reference's lines, in the dtype of the arrays."""
    kinds = [activation(layer.activation) for layer in network.layers]
    zs, activations = [], [x]
    for kind, (weights, bias) in zip(kinds, parameters, strict=True):
        zs.append(activations[-1] @ weights + bias)
        activations.append(np.asarray(kind.value(np, zs[-1]), x.dtype))
    delta = output_delta(network.loss, kinds[-1], zs[-1], activations[-1], y)
    for index in reversed(range(len(kinds))):
        weights, bias = parameters[index]
        below = delta @ weights.T if index else delta
        weights -= x.dtype.type(rate) * (activations[index].T @ delta)
        bias -= x.dtype.type(rate) * delta.sum(axis=0)
        if index:
            delta = below * kinds[index - 1].slope(np, zs[index - 1], activations[index])


def _names(parameters: Parameters) -> Iterable[str]:
    return (f"the {part} of layer {index}" for index in range(len(parameters)) for part in ("weights", "biases"))


def _distance(array: Array, other: Array) -> float:
    return float(np.linalg.norm(np.subtract(array, other, dtype=np.float64)))
