"""The cost models of two sides, one pair for each number of workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.compare.cost import Model, Observation, fit, observations
from harness.report.compare.overtaking import Overtaking, by_batch, by_width
from harness.store import Stored


@dataclass(frozen=True)
class Models:
    """The models of both sides at one number of workers; ``None`` where a side has too few cells."""

    workers: int
    a: Model | None
    b: Model | None

    def overtakings(self) -> list[Overtaking]:
        """Return where one overtakes the other, on each net and set that both were measured on."""
        if self.a is None or self.b is None:
            return []
        return [*by_batch(self.a, self.b), *by_width(self.a, self.b)]


def models(a: Sequence[Stored], b: Sequence[Stored]) -> list[Models]:
    """Return the models of both sides for every number of workers that both have."""
    sides = [_by_workers(observations(rows)) for rows in (a, b)]
    return [Models(count, *(fit(side[count]) for side in sides)) for count in sorted(sides[0].keys() & sides[1].keys())]


def _by_workers(found: Sequence[Observation]) -> dict[int, list[Observation]]:
    groups: dict[int, list[Observation]] = {}
    for one in found:
        groups.setdefault(one.cell.workers, []).append(one)
    return groups
