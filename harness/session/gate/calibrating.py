"""The gate tests itself: it measures a backend against itself, and against a copy whose slowdown is known.

``Calibrator`` measures the rounds; ``CalibrationRuns`` holds them and derives what the gate can be trusted with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from harness.contract.registry import spec
from harness.errors import HarnessError
from harness.plan.cell import Cell
from harness.report.compare.error_rate import LEVEL, holm
from harness.report.compare.evidence import LogRatio, paired
from harness.report.compare.pairing import Pair, Samples, setting
from harness.report.compare.verdicts import Thresholds, judged
from harness.report.statistics import median
from harness.session.gate.calibration import Calibration
from harness.session.gate.contenders import Contender
from harness.session.gate.copy import NAME
from harness.store import Stored
from harness.study.model import Study

DRAWN = 1000
"""How many runs are drawn from the measured pairs."""
SIZES = (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0)
"""The changes that are tried, the smallest first."""
SEEN = 0.9
"""The share of drawn runs that must show a change."""

Trio: TypeAlias = tuple[Cell, Cell, Cell]
"""A cell, its twin and its slowed copy."""
Measure: TypeAlias = Callable[[Sequence[Cell], int], Sequence[Stored]]
"""``(cells, round) -> rows``."""
OnRun: TypeAlias = Callable[[int, int], None]
"""Is called with ``(runs done, runs)``."""


def trios(word: str, percent: int, study: Study) -> list[Trio]:
    """Return each cell of a backend with its twin and its slowed copy.

    The twin is measured in the same way. Only its time limit is one second longer, so that the store can tell the rows
    of the two apart.
    """
    options = spec(NAME).resolve({"base": word.replace(",", ";"), "percent": percent})
    return [
        (cell, replace(cell, time_limit=cell.time_limit + 1), replace(cell, backend=NAME, options=options))
        for cell in Contender.of(word).cells(study)
    ]


@dataclass
class Calibrator:
    """Measures the trios; ``measure`` runs the three cells of a trio in one round, in random order."""

    measure: Measure
    rounds: int
    runs: int
    on_run: OnRun = lambda _done, _runs: None

    def run(self, measured: Sequence[Trio]) -> CalibrationRuns:
        """Measure every trio in all rounds of all runs."""
        taken: list[list[dict[str, Stored]]] = [[] for _ in measured]
        for turn in range(self.runs * self.rounds):
            for trio, rows in zip(measured, taken, strict=True):
                rows.append(self._round(trio, turn))
            if (turn + 1) % self.rounds == 0:
                self.on_run((turn + 1) // self.rounds, self.runs)
        return CalibrationRuns(measured, taken, self.rounds, self.runs)

    def _round(self, trio: Trio, turn: int) -> dict[str, Stored]:
        rows = {stored.row.cell.key: stored for stored in self.measure(trio, turn)}
        for cell in trio:
            row = rows[cell.key].row if cell.key in rows else None
            if row is None or row.state != "ok":
                cause = "it was interrupted" if row is None else f"{cell.backend} is {row.state}: {row.reason}"
                raise HarnessError(f"the gate was not calibrated: {cause}")
        return rows


@dataclass(frozen=True)
class CalibrationRuns:
    """All rounds of all runs, by trio, and what follows from them for the gate."""

    trios: Sequence[Trio]
    rows: Sequence[Sequence[Mapping[str, Stored]]]
    """For each trio and round, the rows by the key of their cell."""
    rounds: int
    """Rounds of one run."""
    runs: int

    def alarms(self) -> int:
        """Return in how many runs any cell of the study was called changed, compared with its twin."""
        verdicts = [self._verdicts(run, 1) for run in range(self.runs)]
        return sum(any(verdict in ("faster", "slower") for verdict in run) for run in verdicts)

    def found(self) -> int:
        """Return in how many runs the slowed copy of every cell was called slower."""
        return sum(set(self._verdicts(run, 2)) == {"slower"} for run in range(self.runs))

    def _verdicts(self, run: int, other: int) -> list[str]:
        """Judge one run: the cells of each trio against its twin (``other`` is 1) or its slowed copy (2)."""
        turns = slice(run * self.rounds, (run + 1) * self.rounds)
        pairs = []
        for trio, rows in zip(self.trios, self.rows, strict=True):
            before, after = ([by_key[trio[which].key] for by_key in rows[turns]] for which in (0, other))
            pairs.append((setting(trio[0], before[0].row.machine), Pair(Samples(tuple(before)), Samples(tuple(after)))))
        return [comparison.verdict for comparison in judged(pairs, Thresholds(), LEVEL)]

    @cached_property
    def logs(self) -> list[list[float]]:
        """The log ratios of twins, by trio: they show what noise alone does on this machine."""
        logs_by_trio = []
        for (plain, twin, _), rows in zip(self.trios, self.rows, strict=True):
            before, after = (Samples(tuple(by_key[cell.key] for by_key in rows)) for cell in (plain, twin))
            logs_by_trio.append(Pair(before, after).logs)
        return logs_by_trio

    def alarm_rate(self, seed: int = 0) -> float:
        """Return the share of drawn runs of equals in which any cell is called changed, whatever the band."""
        rng = np.random.default_rng(seed)
        drawn = ([self._drawn(logs, rng) for logs in self.logs] for _ in range(DRAWN))
        return sum(min(holm([evidence.p_change() for evidence in run])) <= LEVEL for run in drawn) / DRAWN

    def smallest(self, seed: int = 0) -> float | None:
        """Return the smallest change of a single cell that is sure in 9 of 10 drawn runs, corrected for all cells."""
        rng = np.random.default_rng(seed)
        drawn = [self._drawn(logs, rng) for logs in self.logs for _ in range(DRAWN // len(self.logs))]
        level = LEVEL / len(self.logs)
        for size in SIZES:
            shifted = (replace(evidence, centre=evidence.centre + math.log1p(size)) for evidence in drawn)
            if sum(slow.p_change() <= level and slow.centre > 0 for slow in shifted) >= SEEN * len(drawn):
                return size
        return None

    def _drawn(self, logs: Sequence[float], rng: np.random.Generator) -> LogRatio:
        """Return one run of equals: pairs drawn from all that were measured, each with a random sign."""
        chosen = rng.choice(np.asarray(logs), self.rounds) * rng.choice([-1.0, 1.0], self.rounds)
        evidence = paired(list(chosen))
        if evidence is None:
            raise HarnessError(f"{self.rounds} rounds are too few to calibrate the gate")
        return evidence

    def calibration(self, backend: str, study: str, percent: int) -> Calibration:
        """Return the calibration that follows from these runs."""
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
            times=tuple(map(self._times, self.trios, self.rows)),
        )

    @staticmethod
    def _times(trio: Trio, rows: Sequence[Mapping[str, Stored]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the median epochs of a cell and of its twin, by round."""
        plain, twin = (tuple(median(by_key[cell.key].row.epoch_seconds) for by_key in rows) for cell in trio[:2])
        return plain, twin
