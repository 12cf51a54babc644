"""Verdicts: all cells of a comparison are judged together, each by its own samples and its band.

A band is the change from which on a cell counts as changed: one band for all cells, and others for groups of cells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

from harness.errors import RequestError, nearest
from harness.report.compare.error_rate import holm
from harness.report.compare.evidence import FEWEST, LogRatio, paired, unpaired
from harness.report.compare.pairing import Pair, Setting
from harness.report.compare.power import Rules, shows
from harness.report.statistics import Estimate, quotient, ratio
from harness.runner.row import FINE

Verdict: TypeAlias = Literal["faster", "slower", "same", "undecided", "broken", "mended", "none"]
REGRESSIONS = ("slower", "broken")
BAND = 0.05
KEYS = ("backend", "workers", "batch", "network", "dataset", "machine")
"""What a group of cells may be named by, besides options."""


@dataclass(frozen=True)
class Group:
    """The cells that have all these values, and their band."""

    values: Mapping[str, str]
    band: float

    def holds(self, known: Mapping[str, frozenset[str]]) -> bool:
        """Return whether a cell belongs to the group; ``known`` has the values of both sides by name."""
        return all(value in known.get(name, frozenset()) for name, value in self.values.items())


@dataclass(frozen=True)
class Thresholds:
    """The band of every cell: that of the last group that the cell belongs to, or the default."""

    default: float = BAND
    groups: tuple[Group, ...] = ()
    least: float = 0.0
    """No band is narrower than this; it is what this machine's calibration could not see anyway."""

    def band(self, known: Mapping[str, frozenset[str]]) -> float:
        """Return the band as a share: with 0.05, ratios from 1/1.05 to 1.05 count as the same."""
        bands = [group.band for group in self.groups if group.holds(known)]
        return max(self.least, bands[-1] if bands else self.default)

    @classmethod
    def parse(cls, default: str, groups: Sequence[str] = ()) -> Thresholds:
        """Read words such as ``5%`` and ``backend=python,batch=1:20%``."""
        return cls(_share(default, "--band"), tuple(map(_group, groups)))


def _share(text: str, option: str) -> float:
    """Read ``5%`` or ``0.05``."""
    word = text.strip()
    try:
        value = float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not 0 < value <= 10:
        raise RequestError(f"{option} {text!r}: write a share above 0 such as 5% or 0.05")
    return value


def _group(text: str) -> Group:
    conditions, colon, band = text.rpartition(":")
    pairs = [word.partition("=") for word in conditions.split(",")]
    if not colon or not all(name and equals and value for name, equals, value in pairs):
        raise RequestError(f"--threshold {text!r}: write KEY=VALUE[,KEY=VALUE]:SHARE, as in backend=python,batch=1:20%")
    return Group({name.strip(): value.strip() for name, _, value in pairs}, _share(band, f"--threshold {text!r}:"))


def check_keys(thresholds: Thresholds, options: frozenset[str]) -> None:
    """Refuse a group whose key is neither an axis nor an option of any cell."""
    for group in thresholds.groups:
        for name in group.values:
            if name not in KEYS and name not in options:
                raise RequestError(f"--threshold: unknown key {name!r}{nearest(name, {*KEYS, *options})}")


@dataclass(frozen=True)
class Comparison:
    """One cell on both sides with its verdict; ``ratio`` is the time of B over that of A, so above 1 B is slower."""

    setting: Setting
    pair: Pair
    band: float
    verdict: Verdict
    ratio: Estimate | None = None
    """With the 95 % interval of this cell alone; the verdict is corrected for all cells."""
    p_change: float = 1.0
    """The p-value of "nothing changed", after Holm's correction."""
    p_same: float = 1.0
    """The p-value of "the change is as large as the band", after Holm's correction."""
    rounds: int | None = None
    """About how many rounds would decide an undecided cell; ``None`` if more than a thousand, or if it is decided."""
    evidence: LogRatio | None = None
    """What the samples say; ``None`` if there are too few."""
    level: float = 0.0
    """The level that the correction for many cells leaves to this cell alone."""

    @cached_property
    def shows(self) -> float | None:
        """The smallest change that these rounds would have shown in 8 of 10 cases, as a share of the time.

        All rules of the verdict are applied: the correction, the interval and the band.
        """
        return None if self.evidence is None else shows(self.evidence, Rules(self.band, self.level))


@dataclass(frozen=True)
class _Case:
    """One cell before it is judged."""

    setting: Setting
    pair: Pair
    band: float

    @cached_property
    def evidence(self) -> LogRatio | None:
        before, after = (list(map(math.log, side.times.values())) for side in (self.pair.before, self.pair.after))
        return paired(self.pair.logs) if self.pair.paired else unpaired(after, before)

    @cached_property
    def ratio(self) -> Estimate | None:
        before, after = self.pair.before.times, self.pair.after.times
        if not before or not after:
            return None
        return ratio(after, before) if self.pair.paired else quotient(list(after.values()), list(before.values()))


def judged(pairs: Sequence[tuple[Setting, Pair]], thresholds: Thresholds, level: float) -> list[Comparison]:
    """Judge all cells together."""
    cases = [_Case(setting, pair, thresholds.band(_known(pair))) for setting, pair in pairs]
    counted = [(case, case.evidence) for case in cases if case.evidence is not None]
    changes = holm([evidence.p_change() for _, evidence in counted])
    sames = holm([evidence.p_same(math.log1p(case.band)) for case, evidence in counted])
    each = level / max(1, len(counted))
    p_values = {id(case): pair for (case, _), *pair in zip(counted, changes, sames, strict=True)}
    return [_with_lost_rounds(_judge(case, p_values.get(id(case), [1.0, 1.0]), level, each)) for case in cases]


def _judge(case: _Case, p_values: Sequence[float], level: float, each: float) -> Comparison:
    """Judge one cell by its corrected p-values; ``each`` is the level that is left to a single cell."""
    ratio, evidence = case.ratio, case.evidence
    comparison = Comparison(case.setting, case.pair, case.band, "undecided", ratio)
    if ratio is None:
        return replace(comparison, verdict=_without_times(case.pair))
    if evidence is None:
        return replace(comparison, rounds=FEWEST)
    p_change, p_same = p_values
    verdict = _verdict(ratio, evidence, case.band, changed=p_change <= level, same=p_same <= level)
    rounds = evidence.rounds_for(math.log1p(case.band), each) if verdict == "undecided" else None
    return replace(
        comparison,
        verdict=verdict,
        p_change=p_change,
        p_same=p_same,
        rounds=None if rounds is None else max(rounds, evidence.rounds + 1),
        evidence=evidence,
        level=each,
    )


def _verdict(ratio: Estimate, evidence: LogRatio, band: float, *, changed: bool, same: bool) -> Verdict:
    """Call a change if it is sure and if both measures of its size lie outside the band; same if it is excluded.

    A small change that is sure to exist, but that may be larger than the band, is neither: it is undecided.
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
    """Judge a cell that has no time on one side: B is broken if A was well, unless B only cannot run here."""
    before, after = pair.before, pair.after
    if before.times and after.state not in FINE:
        return "broken"
    return "mended" if after.times and before.state not in FINE else "none"


def _with_lost_rounds(comparison: Comparison) -> Comparison:
    """Correct a verdict that rests on the surviving rounds only.

    A side is broken if it failed in a round in which the other did not, however few such rounds there are. A round that
    reached its time limit took longer than any time that is known of it: such a side can lose, but it can neither win
    nor be the same.
    """
    before, after, verdict = comparison.pair.before, comparison.pair.after, comparison.verdict
    if comparison.ratio is None:
        return comparison
    if after.faults - before.faults:
        return replace(comparison, verdict="broken", rounds=None)
    if before.faults - after.faults and verdict != "slower":
        return replace(comparison, verdict="mended", rounds=None)
    impossible = {"same"} if before.timed_out or after.timed_out else set()
    impossible |= {"slower"} if before.timed_out else set()
    impossible |= {"faster"} if after.timed_out else set()
    return replace(comparison, verdict="undecided", rounds=None) if verdict in impossible else comparison


def _known(pair: Pair) -> dict[str, frozenset[str]]:
    """Return the words by which the group of a threshold may name this cell, from both sides."""
    known: dict[str, set[str]] = {}
    for samples in (pair.before, pair.after):
        cell = samples.cell
        words = [*cell.options.items(), ("backend", cell.backend), ("workers", cell.workers), ("batch", cell.batch)]
        words += [("network", "-".join(map(str, cell.network.sizes))), ("network", str(cell.network))]
        words += [("dataset", cell.dataset), ("machine", samples.rows[0].row.machine)]
        for name, value in words:
            known.setdefault(name, set()).add(str(value))
    return {name: frozenset(values) for name, values in known.items()}
