"""Verdicts: all cells of a comparison judged together, each by what its own samples say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

from harness.report.compare.evidence import FEWEST, Evidence, paired, unpaired
from harness.report.compare.many import holm
from harness.report.compare.pairing import Pair, Setting
from harness.report.compare.thresholds import Thresholds
from harness.report.statistics import Estimate, estimate, quotient
from harness.runner.row import FINE

Verdict: TypeAlias = Literal["faster", "slower", "same", "undecided", "broken", "mended", "none"]
LEVEL = 0.05
"""At most this share of whole comparisons of equals may call any change."""
REGRESSIONS = ("slower", "broken")


@dataclass(frozen=True)
class Comparison:
    """One cell: ``ratio`` is the time of B over that of A, so above 1 B is slower."""

    setting: Setting
    pair: Pair
    band: float
    verdict: Verdict
    ratio: Estimate | None = None
    """With the 95 % interval of this cell alone; the verdict is corrected for all cells."""
    p_change: float = 1.0
    p_same: float = 1.0
    """Both after Holm's correction."""
    rounds: int | None = None
    """About how many rounds would decide an undecided cell; ``None``: more than a thousand, or it is decided."""
    shows: float | None = None
    """The smallest change that these rounds would have shown in 8 of 10 cases, as a share of the time."""


@dataclass(frozen=True)
class _Case:
    """One cell before it is judged."""

    setting: Setting
    pair: Pair
    band: float

    @cached_property
    def evidence(self) -> Evidence | None:
        before, after = (list(map(math.log, side.times.values())) for side in (self.pair.before, self.pair.after))
        return paired(self.pair.logs) if self.pair.paired else unpaired(after, before)

    @cached_property
    def ratio(self) -> Estimate | None:
        before, after = self.pair.before.times, self.pair.after.times
        if not before or not after:
            return None
        if self.pair.paired:
            return estimate([after[moment] / before[moment] for moment in self.pair.shared])
        return quotient(list(after.values()), list(before.values()))


def judged(pairs: Sequence[tuple[Setting, Pair]], thresholds: Thresholds, level: float) -> list[Comparison]:
    """Judge all cells together."""
    cases = [_Case(setting, pair, thresholds.band(_known(pair))) for setting, pair in pairs]
    counted = [(case, case.evidence) for case in cases if case.evidence is not None]
    changes = holm([evidence.p_change() for _, evidence in counted])
    sames = holm([evidence.p_same(math.log1p(case.band)) for case, evidence in counted])
    each = level / max(1, len(counted))
    p_values = {id(case): pair for (case, _), *pair in zip(counted, changes, sames, strict=True)}
    return [_judge(case, p_values.get(id(case), [1.0, 1.0]), level, each) for case in cases]


def _judge(case: _Case, p_values: Sequence[float], level: float, each: float) -> Comparison:
    """Judge one cell by its corrected p-values; ``each`` is the level that is left to a single cell."""
    ratio, evidence = case.ratio, case.evidence
    told = Comparison(case.setting, case.pair, case.band, "undecided", ratio)
    if ratio is None:
        return replace(told, verdict=_without_times(case.pair))
    if evidence is None:
        return replace(told, rounds=FEWEST)
    p_change, p_same = p_values
    verdict = _verdict(ratio, evidence, case.band, changed=p_change <= level, same=p_same <= level)
    rounds = evidence.rounds_for(math.log1p(case.band), each) if verdict == "undecided" else None
    return replace(
        told,
        verdict=verdict,
        p_change=p_change,
        p_same=p_same,
        rounds=None if rounds is None else max(rounds, evidence.rounds + 1),
        shows=math.expm1(evidence.shows(each)),
    )


def _verdict(ratio: Estimate, evidence: Evidence, band: float, *, changed: bool, same: bool) -> Verdict:
    """Call a change where it is sure and its size, by both measures, outside the band; same where a change is excluded.

    That a small change is sure to be there, and that it may be larger than the band, is neither: undecided.
    """
    width = math.log1p(band)
    centres = math.log(ratio.value), evidence.centre
    if changed and ratio.excludes(1):
        if min(centres) > width:
            return "slower"
        if max(centres) < -width:
            return "faster"
    return "same" if same and max(map(abs, centres)) < width else "undecided"


def _without_times(pair: Pair) -> Verdict:
    """A side without any time: B is broken where A was well, unless it only cannot run there."""
    before, after = pair.before, pair.after
    if before.times and after.state not in FINE:
        return "broken"
    return "mended" if after.times and before.state not in FINE else "none"


def _known(pair: Pair) -> dict[str, frozenset[str]]:
    """Return the words by which a threshold's group may mean this cell, of either side."""
    known: dict[str, set[str]] = {}
    for samples in (pair.before, pair.after):
        cell = samples.cell
        words = [*cell.options.items(), ("backend", cell.backend), ("workers", cell.workers), ("batch", cell.batch)]
        words += [("network", "-".join(map(str, cell.network.sizes))), ("network", str(cell.network))]
        words += [("dataset", cell.dataset), ("machine", samples.rows[0].row.machine)]
        for name, value in words:
            known.setdefault(name, set()).add(str(value))
    return {name: frozenset(values) for name, values in known.items()}
