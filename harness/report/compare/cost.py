"""The cost model of one backend at one number of workers: what a step, an example and a FLOP cost.

    seconds an epoch = step * steps + example * examples + flop * FLOPs

No cost is negative. The fit makes relative errors small, because readers compare ratios: one percent of a microsecond
counts as much as one percent of a minute. With three costs, the best fit is one of the seven least-squares fits on a
subset of them, so all seven are tried. Intervals come from 400 refits: rounds are drawn anew within each cell, and the
misfit of each cell gets a random sign (the wild bootstrap), so a model that fits badly has wide intervals.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from harness.plan.cell import Cell
from harness.report.compare.pairing import Samples, setting
from harness.report.statistics import Estimate, median
from harness.store import Stored

FEWEST = 3
"""With fewer cells, three costs mean nothing."""
BAD = 0.2
"""A cell whose relative error is larger than this is named."""
REFITS = 400
COSTS = ("step", "example", "flop")


@dataclass(frozen=True)
class Observation:
    """One cell: its work, and its seconds per epoch in each round."""

    cell: Cell
    examples: int
    seconds: tuple[float, ...]
    lost: int = 0
    """The number of its rounds that gave no time."""

    @property
    def work(self) -> tuple[float, float, float]:
        """The steps, examples and FLOPs of an epoch."""
        return work(self.examples, self.cell.batch, self.cell.network.flops_per_example)

    @property
    def middle(self) -> float:
        """The median over the rounds."""
        return median(self.seconds)


def work(examples: int, batch: float, flops: float) -> tuple[float, float, float]:
    """Return steps, examples and FLOPs of an epoch; ``flops`` are those of one example."""
    return math.ceil(examples / batch), examples, examples * flops


@dataclass(frozen=True)
class Model:
    """The fitted costs in seconds, with what they were fitted to."""

    observations: tuple[Observation, ...]
    costs: tuple[float, float, float]
    refits: Any
    """``(REFITS, 3)``: the costs of each refit."""

    @property
    def separates(self) -> bool:
        """Whether the cells have several networks, so that an example and a FLOP can be told apart."""
        return len({cell.cell.network.flops_per_example for cell in self.observations}) > 1

    def predict(self, examples: int, batch: float, flops: float) -> Estimate:
        """Return the time per epoch of a cell with its 95 % interval."""
        amounts = np.array(work(examples, batch, flops))
        low, high = np.quantile(self.refits @ amounts, [0.025, 0.975])
        value = float(np.dot(self.costs, amounts))
        return Estimate(value, min(float(low), value), max(float(high), value), len(self.observations))

    @cached_property
    def errors(self) -> list[tuple[Observation, float]]:
        """Each cell with its measured time divided by the predicted time, minus 1; the worst cell first."""
        errors = [(cell, cell.middle / float(np.dot(self.costs, cell.work)) - 1) for cell in self.observations]
        return sorted(errors, key=lambda pair: -abs(math.log1p(pair[1])))

    @property
    def bad(self) -> list[tuple[Observation, float]]:
        """The cells that the model misses by more than a fifth."""
        return [(cell, error) for cell, error in self.errors if abs(error) > BAD]


def observations(rows: Iterable[Stored]) -> list[Observation]:
    """Return one observation for each cell that has times."""
    groups: dict[str, list[Stored]] = {}
    for stored in rows:
        groups.setdefault(repr(setting(stored.row.cell, stored.row.machine)), []).append(stored)
    measured = []
    for group in groups.values():
        samples = Samples(tuple(group))
        times = samples.times
        examples = next(filter(None, map(_examples, group)), None)
        if times and examples:
            measured.append(Observation(group[0].row.cell, examples, tuple(times.values()), samples.lost))
    return measured


def _examples(stored: Stored) -> int | None:
    """Return the number of training examples; it follows exactly from the GFLOP/s and the median epoch of a row."""
    row = stored.row
    if row.state != "ok" or not row.gflops or not row.epoch_seconds:
        return None
    return round(row.gflops * 1e9 * median(row.epoch_seconds) / row.cell.network.flops_per_example)


def fit(measured: Sequence[Observation], seed: int = 0) -> Model | None:
    """Return the model of these cells; ``None`` if there are too few."""
    if len(measured) < FEWEST:
        return None
    amounts = np.array([cell.work for cell in measured])
    times = np.array([cell.middle for cell in measured])
    costs = _costs(amounts, times)
    predicted = amounts @ costs
    free = max(1, len(measured) - int(np.count_nonzero(costs)))
    misfit = (times / predicted - 1) * math.sqrt(len(measured) / free)
    rng = np.random.default_rng(seed)
    refits = []
    for _ in range(REFITS):
        noise = np.array([_redrawn(cell.seconds, rng) for cell in measured]) / times
        signs = rng.choice([-1.0, 1.0], len(measured))
        refits.append(_costs(amounts, predicted * np.maximum(0.05, 1 + signs * misfit) * noise))
    step, example, flop = map(float, costs)
    return Model(tuple(measured), (step, example, flop), np.array(refits))


def _redrawn(seconds: Sequence[float], rng: np.random.Generator) -> float:
    return float(np.median(rng.choice(np.asarray(seconds), len(seconds))))


def _costs(amounts: Any, times: Any) -> Any:
    """Return the costs, none negative, with the least sum of squared relative errors; if equal, the fewest costs."""
    scale = amounts.max(axis=0)
    relative = amounts / scale / times[:, None]
    best, least = np.zeros(len(COSTS)), math.inf
    for count in range(1, len(COSTS) + 1):
        for chosen in map(list, itertools.combinations(range(len(COSTS)), count)):
            solved, _, rank, _ = np.linalg.lstsq(relative[:, chosen], np.ones(len(times)), rcond=1e-9)
            error = float(np.sum((relative[:, chosen] @ solved - 1) ** 2))
            if rank == count and np.all(solved >= 0) and error < least - 1e-12:
                best, least = np.zeros(len(COSTS)), error
                best[chosen] = solved
    return best / scale
