"""Who wins, in words: a claim only where the 95 % interval of paired rounds excludes 1, and else what is missing.

The fastest cell of each backend stands for it, at one batch and one number of workers; the winner is compared with the
next backend there. Of all places the headline tells the one with most backends, then most workers, then the largest
batch: chosen without a look at the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.report.figures import three
from harness.report.scale import time_unit
from harness.report.statistics import Estimate, ratio
from harness.report.summary import Section, Summary
from harness.text import clean

NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NOTHING = "No cell has a time."


@dataclass(frozen=True)
class Duel:
    """The fastest backend at one batch and number of workers of one problem, and the next."""

    section: Section
    winner: Summary
    second: Summary | None
    contenders: int
    ratio: Estimate | None
    """How many times as fast the winner is, from the rounds that both have."""

    @property
    def decided(self) -> bool:
        """Whether the winner may be called one."""
        return self.ratio is not None and self.ratio.excludes(1) and self.ratio.value > 1

    @property
    def sentence(self) -> str:
        """What may be said, and how sure it is."""
        if self.second is None:
            return f"{clean(self.winner.label)} takes {_time(self.winner)} an epoch {self.where}; it has no rival there"
        if self.ratio is None:
            return f"{self._rivals()} have no round in common {self.where}: no claim"
        if self.ratio.low is None or self.ratio.high is None:
            return f"{self._rivals()} have too few rounds in common {self.where} for a claim: {self._times()}"
        times, low, high = _factors(self.ratio)
        reach = f"95 % interval {low} to {high}"
        if not self.decided:
            return f"undecided {self.where} between {self._rivals()}: {self._times()}, ratio {times} ({reach})"
        names = f"{clean(self.winner.label)} is {times} times as fast as the next"
        return f"{names}, {clean(self.second.label)}, {self.where} ({reach})"

    @property
    def where(self) -> str:
        """The batch and the cores, in words."""
        cell = self.winner.cell
        count = NUMBERS[cell.workers] if cell.workers < len(NUMBERS) else str(cell.workers)
        thing = "worker" if cell.options.get("device") == "cuda" or cell.hosts else "core"
        return f"at batch {cell.batch} on {count} {thing}{'' if cell.workers == 1 else 's'}"

    def _rivals(self) -> str:
        return f"{clean(self.winner.label)} and {clean(self.second.label if self.second else '')}"

    def _times(self) -> str:
        first = _time(self.winner)
        return f"{first} and {_time(self.second)} an epoch" if self.second else first


def duels(sections: Iterable[Section]) -> list[Duel]:
    """Return a duel for each batch and number of workers of each problem, the headline's first."""
    found = [duel for section in sections for duel in _of(section)]
    return sorted(found, key=lambda one: (-one.contenders, -one.winner.cell.workers, -one.winner.cell.batch))


def headline(found: Sequence[Duel]) -> str:
    """Return the first sentence of the report."""
    if not found:
        return NOTHING
    sentence = found[0].sentence
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence.startswith("undecided") else f"{sentence}."


def _of(section: Section) -> list[Duel]:
    places: dict[tuple[int, int], dict[str, Summary]] = {}
    for one in section.summaries:  # the fastest first within a batch
        if one.epoch is not None:
            places.setdefault((one.cell.batch, one.cell.workers), {}).setdefault(one.cell.backend, one)
    return [_duel(section, list(best.values())) for best in places.values()]


def _duel(section: Section, ranked: Sequence[Summary]) -> Duel:
    winner, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    found = ratio(second.times, winner.times) if second else None
    return Duel(section, winner, second, len(ranked), found)


def _factors(found: Estimate) -> tuple[str, str, str]:
    """Return a ratio and its interval with as few decimals as tell them from 1, and from each other if they differ."""
    figures = (found.value, found.low or found.value, found.high or found.value)
    for digits in (1, 2, 3):
        low, value, high = (f"{figure:.{digits}f}" for figure in (figures[1], figures[0], figures[2]))
        apart = low != value != high or figures[1] == figures[2]
        if apart and f"{1:.{digits}f}" not in (low, value, high):
            break
    return value, low, high


def _time(one: Summary) -> str:
    size, unit = time_unit([one])
    return f"{three(one.epoch.value / size) if one.epoch else '-'} {unit}"
