"""What stands below the table: what is not ok and why, each warning once, and what the signs mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.report.figures import speedup
from harness.report.summary import Summary
from harness.row import FINE, Row


def reasons(summaries: Iterable[Summary]) -> list[str]:
    """Say of everything that is not ok what it is, why, and in which rounds."""
    lines = []
    for summary in summaries:
        causes: dict[tuple[str, str, str], list[int]] = {}
        for row in summary.rows:
            if row.state != "ok":
                causes.setdefault((row.state, row.reason, _last_line(row)), []).append(row.round)
        for (state, reason, last), rounds in causes.items():
            where = "" if len(rounds) == len(summary.rows) else f" (round {', '.join(map(str, rounds))})"
            said = f"; it last said: {last}" if last and last not in reason else ""
            lines.append(f"{state}: {_named(summary)}{where}: {reason or 'no reason given'}{said}")
    return lines


def _last_line(row: Row) -> str:
    lines = row.stderr.strip().splitlines()
    return lines[-1] if lines and row.state not in FINE else ""


def warnings(summaries: Iterable[Summary]) -> list[str]:
    """Return each warning once, whatever its figures, with the first cell that has it and the number of others."""
    cells: dict[str, dict[str, None]] = {}
    first: dict[str, str] = {}
    for summary in summaries:
        for warning in (warning for row in summary.rows for warning in row.warnings):
            kind = re.sub(r"\d+(\.\d+)?", "#", warning)
            first.setdefault(kind, warning)
            cells.setdefault(kind, {})[_named(summary)] = None
    return [f"{warning} ({_first(list(cells[kind]))})" for kind, warning in first.items()]


def _first(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}, and {len(names) - 1} more"


def notes(summaries: Sequence[Summary]) -> list[str]:
    """Explain the signs that the table uses."""
    if any("?" in speedup(summary.speedup) for summary in summaries):
        return ["?: too few rounds, or the 95 % interval of the speedup contains 1: no claim"]
    return []


def _named(summary: Summary) -> str:
    return f"{summary.label} workers={summary.cell.workers} batch={summary.cell.batch}"
