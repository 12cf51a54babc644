"""Numbers as the tables show them: three digits, no exponent, a readable unit, and a dash if there is no number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from harness.report.statistics import Estimate

NO_FIGURE = "-"
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


class Timed(Protocol):
    """Something that may have a time per epoch, such as a ``Summary``."""

    @property
    def epoch(self) -> Estimate | None:
        """Seconds per epoch."""


def three(value: float | None) -> str:
    """Return a number with three significant digits and no exponent; from 100 on, a whole number."""
    if value is None:
        return NO_FIGURE
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.{2 if value < 9.995 else 1}f}" if value >= 0.995 else f"{value:.3f}"


def spread(estimate: Estimate | None) -> str:
    """Return the distance from the median to the farther end of the interval, in percent of the median."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return NO_FIGURE
    reach = max(estimate.high / estimate.value - 1, 1 - estimate.low / estimate.value)
    return f"{100 * reach:.1f}%" if reach < 10 else ">999%"


def speedup(estimate: Estimate | None) -> str:
    """Return the speedup, with a question mark if the interval does not exclude 1."""
    if estimate is None:
        return NO_FIGURE
    return f"{three(estimate.value)}{'' if estimate.excludes(1) or itself(estimate) else '?'}"


def marked(shown: str, *, lost: object) -> str:
    """Return a figure with an asterisk if it rests on a cell that lost rounds."""
    return f"{shown}*" if lost and shown != NO_FIGURE else shown


def unranked(shown: str) -> str:
    """Return the figure of a cell that could not be compared with the reference, in brackets."""
    return f"[{shown}]"


def itself(estimate: Estimate) -> bool:
    """Return whether this is the speedup of a counterpart over itself, which is 1 in every round."""
    return estimate.value == 1 and estimate.low in (1, None)


def time_unit(cells: Iterable[Timed]) -> tuple[float, str]:
    """Return one unit for the times of all cells, so that they compare by eye; the fastest is at least 0.1 of it."""
    return _unit(min((cell.epoch.value for cell in cells if cell.epoch), default=1.0))


def in_time_unit(seconds: float) -> str:
    """Return a time in a unit that suits it."""
    size, unit = _unit(seconds)
    return f"{three(seconds / size)} {unit}"


def _unit(seconds: float) -> tuple[float, str]:
    return next((unit for unit in UNITS if seconds >= 0.1 * unit[0]), UNITS[-1])
