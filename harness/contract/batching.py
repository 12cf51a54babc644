"""How a set is cut into batches: in order, and the last one may be smaller."""

from __future__ import annotations

from collections.abc import Iterator

from harness.contract.checks import whole_number


def batches(rows: int, batch_size: int) -> Iterator[slice]:
    """Yield ``slice(start, stop)`` over ``rows``; a batch larger than the set is one batch of all rows."""
    batch_size = whole_number("batch_size", batch_size, "rows")
    for start in range(0, rows, batch_size):
        yield slice(start, min(start + batch_size, rows))
