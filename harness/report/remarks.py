"""What stands below the table: what is not ok and why, each warning once, and what the signs mean."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from harness.report.figures import speedup
from harness.report.summary import Summary
from harness.runner.row import FINE, Row

UNTOLD = frozenset({"interrupted", "diverged", "wrong"})
"""States whose reason says all: what was printed last has nothing to do with them."""


def reasons(summaries: Sequence[Summary]) -> list[str]:
    """Say of everything that is not ok what it is, why, and in which rounds."""
    named = _namer(summaries)
    return [
        f"{cause.state}: {named(summary)}{cause.where}: {cause.said}"
        for summary in summaries
        for cause in causes(summary)
    ]


class Cause(NamedTuple):
    """Why some rounds of a cell are not ok."""

    state: str
    where: str
    """The rounds, where they are not all."""
    said: str


def causes(summary: Summary) -> list[Cause]:
    """Return each cause once, with its rounds."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in summary.rows:
        if row.state != "ok":
            found.setdefault((row.state, row.reason, _last_words(row)), []).append(row.round)
    told = []
    for (state, reason, last), rounds in found.items():
        where = "" if len(rounds) == len(summary.rows) else f" (round {', '.join(map(str, rounds))})"
        told.append(Cause(state, where, f"{reason or 'no reason given'}{f'; {last}' if last else ''}"))
    return told


def _last_words(row: Row) -> str:
    """Return where a worker stood when it was ended, if it could say, or else the last line that it printed.

    Nothing where the reason has it already, or, for figures that went wrong, where it would be a library's warning.
    """
    lines = row.stderr.strip().splitlines()
    if not lines or row.state in FINE | UNTOLD:
        return ""
    for line, below in itertools.pairwise(lines):
        if line.startswith("Current thread"):
            return f"it stood at {below.strip()}"
    said = re.sub(r"^(\w+\.)+(?=\w+: )", "", lines[-1])  # the reason names an error without its module
    return f"it last said: {lines[-1]}" if " ".join(said.split()) not in row.reason else ""


def warnings(summaries: Sequence[Summary]) -> list[str]:
    """Return each warning once, whatever its figures, with the first cell that has it and the number of others."""
    cells: dict[str, dict[str, None]] = {}
    first: dict[str, str] = {}
    named = _namer(summaries)
    for summary in summaries:
        for warning in (warning for row in summary.rows for warning in row.warnings):
            kind = re.sub(r"\d+(\.\d+)?", "#", warning)
            first.setdefault(kind, warning)
            cells.setdefault(kind, {})[named(summary)] = None
    return [f"{warning} ({_first(list(cells[kind]))})" for kind, warning in first.items()]


def _first(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}, and {len(names) - 1} more"


def notes(summaries: Sequence[Summary]) -> list[str]:
    """Explain the signs that the table uses."""
    if any("?" in speedup(summary.speedup) for summary in summaries):
        return ["?: too few rounds, or the 95 % interval of the speedup contains 1: no claim"]
    return []


def _namer(summaries: Iterable[Summary]) -> Callable[[Summary], str]:
    """Return how to name a cell: with its network and dataset where there are several."""

    def problem(summary: Summary) -> str:
        return f" on {'-'.join(map(str, summary.cell.network.sizes))}, {summary.cell.dataset}"

    several = len({problem(summary) for summary in summaries}) > 1

    def named(summary: Summary) -> str:
        cell = summary.cell
        return f"{summary.label} workers={cell.workers} batch={cell.batch}{problem(summary) if several else ''}"

    return named
