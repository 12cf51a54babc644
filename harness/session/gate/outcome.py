"""What a calibration measured, and what follows from it for the gate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from harness.errors import HarnessError
from harness.plan.cell import Cell
from harness.report.compare.evidence import Evidence, paired
from harness.report.compare.judging import LEVEL, judged
from harness.report.compare.many import holm
from harness.report.compare.pairing import Pair, Samples, setting
from harness.report.compare.thresholds import Thresholds
from harness.session.gate.calibration import Calibration
from harness.store import Stored

DRAWN = 1000
SIZES = (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0)
"""Changes that are tried, the smallest first."""
SEEN = 0.9

Trio: TypeAlias = tuple[Cell, Cell, Cell]
"""A cell, its twin and its slowed copy."""


@dataclass(frozen=True)
class Outcome:
    """All rounds of all runs, by trio."""

    trios: Sequence[Trio]
    rows: Sequence[Sequence[Mapping[str, Stored]]]
    rounds: int
    runs: int

    def alarms(self) -> int:
        """Return in how many runs any cell of the study was called changed, against its twin."""
        verdicts = [self._verdicts(run, 1) for run in range(self.runs)]
        return sum(any(verdict in ("faster", "slower") for verdict in run) for run in verdicts)

    def found(self) -> int:
        """Return in how many runs every cell's slowed copy was called slower."""
        return sum(set(self._verdicts(run, 2)) == {"slower"} for run in range(self.runs))

    def _verdicts(self, run: int, other: int) -> list[str]:
        turns = slice(run * self.rounds, (run + 1) * self.rounds)
        pairs = []
        for trio, rows in zip(self.trios, self.rows, strict=True):
            before, after = ([one[trio[which].key] for one in rows[turns]] for which in (0, other))
            pairs.append((setting(trio[0], before[0].row.machine), Pair(Samples(tuple(before)), Samples(tuple(after)))))
        return [one.verdict for one in judged(pairs, Thresholds(), LEVEL)]

    @cached_property
    def logs(self) -> list[list[float]]:
        """The log ratios of twins, by trio: what noise alone does on this machine."""
        every = []
        for (plain, twin, _), rows in zip(self.trios, self.rows, strict=True):
            before, after = (Samples(tuple(one[cell.key] for one in rows)) for cell in (plain, twin))
            every.append(Pair(before, after).logs)
        return every

    def alarm_rate(self, seed: int = 0) -> float:
        """Return the share of drawn runs of equals in which any cell is called changed, whatever the band."""
        rng = np.random.default_rng(seed)
        drawn = ([self._drawn(logs, rng) for logs in self.logs] for _ in range(DRAWN))
        return sum(min(holm([one.p_change() for one in run])) <= LEVEL for run in drawn) / DRAWN

    def smallest(self, seed: int = 0) -> float | None:
        """Return the smallest change of a single cell that 9 of 10 drawn runs show, corrected for all cells."""
        rng = np.random.default_rng(seed)
        drawn = [self._drawn(logs, rng) for logs in self.logs for _ in range(DRAWN // len(self.logs))]
        level = LEVEL / len(self.logs)
        for size in SIZES:
            shifted = (replace(one, centre=one.centre + math.log1p(size)) for one in drawn)
            if sum(one.p_change() <= level and one.centre > 0 for one in shifted) >= SEEN * len(drawn):
                return size
        return None

    def _drawn(self, logs: Sequence[float], rng: np.random.Generator) -> Evidence:
        """Return one run of equals: pairs drawn from all that were measured, each either way round."""
        chosen = rng.choice(np.asarray(logs), self.rounds) * rng.choice([-1.0, 1.0], self.rounds)
        evidence = paired(list(chosen))
        if evidence is None:
            raise HarnessError(f"{self.rounds} rounds are too few to calibrate anything")
        return evidence

    def calibration(self, backend: str, study: str, percent: int) -> Calibration:
        """Return all of it."""
        return Calibration(
            machine=next(iter(self.rows[0][0].values())).row.machine,
            backend=backend,
            study=study,
            cells=len(self.trios),
            rounds=self.rounds,
            runs=self.runs,
            alarms=self.alarms(),
            percent=percent,
            found=self.found(),
            alarm_rate=self.alarm_rate(),
            smallest=self.smallest(),
        )
