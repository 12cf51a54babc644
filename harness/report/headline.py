"""Which backend wins, in words. A claim is made only if the 95 % interval of paired rounds excludes 1.

At each batch and number of workers, the fastest cell of each backend stands for it, and the fastest backend is compared
with the next one. The headline reports the place with the most backends, then the most workers, then the largest batch,
so it does not depend on the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import clean
from harness.report.figures import NO_FIGURE, in_time_unit
from harness.report.statistics import Estimate, ratio
from harness.report.summary import Section, Summary

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
    """How many times as fast the winner is, from the rounds that one run has of both."""

    @property
    def decided(self) -> bool:
        """Whether the winner may be called one: never on the rounds that survived if it lost others."""
        return self.ratio is not None and self.ratio.excludes(1) and self.ratio.value > 1 and not self.winner.lost

    @property
    def sentence(self) -> str:
        """What may be said, how sure it is, and whether it rests on cells that lost rounds."""
        cells = [cell for cell in (self.winner, self.second) if cell is not None and cell.lost]
        return "; ".join([self._claim(), *(f"{clean(cell.label)} {cell.lost}" for cell in cells)])

    def _claim(self) -> str:
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
        """The batch and the cores that the workers really had, in words."""
        cell = self.winner.cell
        workers = _counted(cell.workers, "worker")
        if cell.options.get("device") == "cuda" or cell.hosts:
            return f"at batch {cell.batch} on {workers}"
        cores = min(cell.workers, self.winner.usable_cores or cell.workers)
        shared = f", shared by {workers}" if cores < cell.workers else ""
        return f"at batch {cell.batch} on {_counted(cores, 'core')}{shared}"

    def _rivals(self) -> str:
        return f"{clean(self.winner.label)} and {clean(self.second.label if self.second else '')}"

    def _times(self) -> str:
        first = _time(self.winner)
        return f"{first} and {_time(self.second)} an epoch" if self.second else first


def duels(sections: Iterable[Section]) -> list[Duel]:
    """Return a duel for each batch and number of workers of each problem; the first is that of the headline."""
    every = [duel for section in sections for duel in _of(section)]
    return sorted(every, key=lambda duel: (-duel.contenders, -duel.winner.cell.workers, -duel.winner.cell.batch))


def headline(all_duels: Sequence[Duel]) -> str:
    """Return the first sentence of the report."""
    if not all_duels:
        return NOTHING
    sentence = all_duels[0].sentence
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence.startswith("undecided") else f"{sentence}."


def _of(section: Section) -> list[Duel]:
    places: dict[tuple[int, int], dict[str, Summary]] = {}
    for summary in section.summaries:  # within a batch, the fastest comes first
        if summary.epoch is not None:
            cell = summary.cell
            places.setdefault((cell.batch, cell.workers), {}).setdefault(cell.backend, summary)
    return [_duel(section, list(best.values())) for best in places.values()]


def _duel(section: Section, ranked: Sequence[Summary]) -> Duel:
    winner, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    times_as_fast = ratio(second.times, winner.times) if second else None
    return Duel(section, winner, second, len(ranked), times_as_fast)


def _counted(count: int, thing: str) -> str:
    return f"{NUMBERS[count] if count < len(NUMBERS) else count} {thing}{'' if count == 1 else 's'}"


def _factors(estimate: Estimate) -> tuple[str, str, str]:
    """Return a ratio and its interval, with just enough decimals to tell them from 1 and from each other."""
    figures = (estimate.value, estimate.low or estimate.value, estimate.high or estimate.value)
    for digits in (1, 2, 3):
        low, value, high = (f"{figure:.{digits}f}" for figure in (figures[1], figures[0], figures[2]))
        apart = low != value != high or figures[1] == figures[2]
        if apart and f"{1:.{digits}f}" not in (low, value, high):
            break
    return value, low, high


def _time(summary: Summary) -> str:
    return in_time_unit(summary.epoch.value) if summary.epoch else NO_FIGURE
