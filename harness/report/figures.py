"""Figures as a reader wants them: three digits, no exponent, a dash where there is none."""

from __future__ import annotations

from harness.report.statistics import Estimate

NO_FIGURE = "-"


def three(value: float | None) -> str:
    """Return a figure with three significant digits and no exponent, whole from 100 on."""
    if value is None:
        return NO_FIGURE
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.{2 if value < 9.995 else 1}f}" if value >= 0.995 else f"{value:.3f}"


def spread(found: Estimate | None) -> str:
    """Return how far the interval reaches to its farther side, in percent of the median."""
    if found is None or found.low is None or found.high is None:
        return NO_FIGURE
    reach = max(found.high / found.value - 1, 1 - found.low / found.value)
    return f"{100 * reach:.1f}%" if reach < 10 else ">999%"


def speedup(found: Estimate | None) -> str:
    """Return the speedup, with a question mark where the interval does not exclude 1."""
    if found is None:
        return NO_FIGURE
    return f"{three(found.value)}{'' if found.excludes(1) or itself(found) else '?'}"


def itself(found: Estimate) -> bool:
    """Tell whether this is the speedup of a counterpart over itself, 1 in every round."""
    return found.value == 1 and found.low in (1, None)
