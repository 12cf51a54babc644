"""What the papers' bars show: time per epoch, GFLOP/s and speedup, each with its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.report.figures import speedup, three
from harness.report.scale import time_unit
from harness.report.statistics import Estimate
from harness.report.summary import Section, Summary


@dataclass(frozen=True)
class Measure:
    """What the bars show: how to get it from a cell, and what to call it."""

    title: str
    axis: str
    note: str
    value: Callable[[Summary], Estimate | None]
    shown: Callable[[Estimate], str]
    reference: float | None = None


def measures(section: Section) -> tuple[Measure, ...]:
    """Return the three, in one unit of time for the whole section."""
    size, unit = time_unit(section.summaries)
    return (
        Measure(
            "How long does one epoch take?",
            f"time per epoch ({unit})",
            "Less is better. Median of the rounds; the line is its 95 % interval.",
            lambda one: _scaled(one.epoch, 1 / size),
            lambda found: f"{three(found.value)} {unit}",
        ),
        Measure(
            "How fast is the arithmetic?",
            "GFLOP/s",
            "More is better. Operations of the matrix products by the formula of the papers, over the time per epoch.",
            _gflops,
            lambda found: three(found.value),
        ),
        Measure(
            "How much faster than its serial counterpart?",
            "speedup",
            "Over the serial counterpart, paired by round; a question mark: no interval, or one that contains 1.",
            lambda one: one.speedup,
            speedup,
            reference=1.0,
        ),
    )


def _scaled(found: Estimate | None, factor: float) -> Estimate | None:
    if found is None:
        return None
    low, high = (None if end is None else end * factor for end in (found.low, found.high))
    return Estimate(found.value * factor, low, high, found.count)


def _gflops(one: Summary) -> Estimate | None:
    """Return the rate with the interval that the time per epoch gives it."""
    rate, epoch = one.middle(lambda row: row.gflops), one.epoch
    if rate is None or rate <= 0 or epoch is None:
        return None
    low, high = (None if end is None else rate * epoch.value / end for end in (epoch.high, epoch.low))
    return Estimate(rate, low, high, epoch.count)
