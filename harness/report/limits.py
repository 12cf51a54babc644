"""``Limit``: the machine's peak and bandwidths as a receipt tells them, whatever else a store may hold there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.report.summary import Summary
from harness.text import clean


@dataclass(frozen=True)
class Limit:
    """What the machine can do at best at one number of threads and dtype."""

    gflops: float
    bandwidths: tuple[tuple[str, float], ...]
    """``(level, GB/s)`` of each cache and of memory, as far as they were measured."""


def limit(summaries: Iterable[Summary]) -> Limit | None:
    """Return the best limit that these cells' receipts tell; ``None`` where none does."""
    told = [row.receipt.get("limit") for one in summaries for row in one.good]
    found = [one for one in told if isinstance(one, Mapping) and _positive(one.get("gflops"))]
    if not found:
        return None
    best = max(found, key=lambda one: float(one["gflops"]))
    return Limit(float(best["gflops"]), tuple(_bandwidths(best.get("bandwidth"))))


def _bandwidths(told: Any) -> Iterable[tuple[str, float]]:
    for one in told if isinstance(told, list | tuple) else ():
        if isinstance(one, Mapping) and _positive(one.get("gb_per_s")):
            yield clean(one.get("level", "?")), float(one["gb_per_s"])


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0
