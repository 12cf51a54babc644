"""One unit of time for figures that stand side by side."""

from __future__ import annotations

from collections.abc import Iterable

from harness.report.summary import Summary

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def time_unit(summaries: Iterable[Summary]) -> tuple[float, str]:
    """Return one unit for all, so that times compare by eye; the fastest epoch is at least 0.1 of it."""
    fastest = min((one.epoch.value for one in summaries if one.epoch), default=1.0)
    return next((unit for unit in UNITS if fastest >= 0.1 * unit[0]), UNITS[-1])
