"""Format tables of plain text for standard output."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import clean


def aligned(headings: Sequence[str], rows: Sequence[Sequence[object]], right: frozenset[str] = frozenset()) -> str:
    """Return a table with two spaces between the columns. The columns in ``right`` are right-aligned."""
    texts = [list(headings), *([clean(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(headings))]
    lines = []
    for row in texts:
        cells = zip(headings, row, widths, strict=True)
        lines.append("  ".join(text.rjust(w) if name in right else text.ljust(w) for name, text, w in cells).rstrip())
    return "\n".join(lines)
