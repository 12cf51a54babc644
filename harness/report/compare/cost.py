"""A cost model of one backend at one number of workers: what a step, an example and a FLOP cost it.

    seconds an epoch = step * steps + example * examples + flop * FLOPs

No cost is negative, and relative errors are made small, because a table reads ratios: one percent of a microsecond
counts as much as one percent of a minute. With three costs the best fit is among the seven least-squares fits on some
of them, so all are tried. Intervals come from refitting 400 times: rounds are drawn anew within each cell, and the
misfit of each cell is given a random sign (the wild bootstrap), so a model that fits badly has wide intervals.
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
"""Cells below which three costs are no finding."""
BAD = 0.2
"""A cell this far from the model is named."""
REFITS = 400
COSTS = ("step", "example", "flop")


@dataclass(frozen=True)
class Observation:
    """One cell: its work, and its seconds an epoch, one a round."""

    cell: Cell
    examples: int
    seconds: tuple[float, ...]

    @property
    def work(self) -> tuple[float, float, float]:
        """Steps, examples and FLOPs of an epoch."""
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
        """Whether cells of several nets were there, so that an example and a FLOP could be told apart."""
        return len({one.cell.network.flops_per_example for one in self.observations}) > 1

    def predict(self, examples: int, batch: float, flops: float) -> Estimate:
        """Return the time per epoch of a cell with its 95 % interval."""
        amounts = np.array(work(examples, batch, flops))
        low, high = np.quantile(self.refits @ amounts, [0.025, 0.975])
        value = float(np.dot(self.costs, amounts))
        return Estimate(value, min(float(low), value), max(float(high), value), len(self.observations))

    @cached_property
    def errors(self) -> list[tuple[Observation, float]]:
        """Each cell with measured over predicted time less 1, the worst first."""
        found = [(one, one.middle / float(np.dot(self.costs, one.work)) - 1) for one in self.observations]
        return sorted(found, key=lambda pair: -abs(math.log1p(pair[1])))

    @property
    def bad(self) -> list[tuple[Observation, float]]:
        """The cells that the model misses by more than a fifth."""
        return [(one, error) for one, error in self.errors if abs(error) > BAD]


def observations(rows: Iterable[Stored]) -> list[Observation]:
    """Return one observation for each cell that has times."""
    groups: dict[str, list[Stored]] = {}
    for one in rows:
        groups.setdefault(repr(setting(one.row.cell, one.row.machine)), []).append(one)
    found = []
    for group in groups.values():
        times = Samples(tuple(group)).times
        examples = next(filter(None, map(_examples, group)), None)
        if times and examples:
            found.append(Observation(group[0].row.cell, examples, tuple(times.values())))
    return found


def _examples(one: Stored) -> int | None:
    """Return the rows of the training set, which a row's GFLOP/s and its median epoch tell exactly."""
    row = one.row
    if row.state != "ok" or not row.gflops or not row.epoch_seconds:
        return None
    return round(row.gflops * 1e9 * median(row.epoch_seconds) / row.cell.network.flops_per_example)


def fit(found: Sequence[Observation], seed: int = 0) -> Model | None:
    """Return the model of these cells; ``None`` where there are too few."""
    if len(found) < FEWEST:
        return None
    amounts = np.array([one.work for one in found])
    times = np.array([one.middle for one in found])
    costs = _costs(amounts, times)
    predicted = amounts @ costs
    free = max(1, len(found) - int(np.count_nonzero(costs)))
    misfit = (times / predicted - 1) * math.sqrt(len(found) / free)
    rng = np.random.default_rng(seed)
    refits = []
    for _ in range(REFITS):
        noise = np.array([_redrawn(one.seconds, rng) for one in found]) / times
        signs = rng.choice([-1.0, 1.0], len(found))
        refits.append(_costs(amounts, predicted * np.maximum(0.05, 1 + signs * misfit) * noise))
    step, example, flop = map(float, costs)
    return Model(tuple(found), (step, example, flop), np.array(refits))


def _redrawn(seconds: Sequence[float], rng: np.random.Generator) -> float:
    return float(np.median(rng.choice(np.asarray(seconds), len(seconds))))


def _costs(amounts: Any, times: Any) -> Any:
    """Return the costs, none negative, with the least sum of squared relative errors; of equals the simplest."""
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
