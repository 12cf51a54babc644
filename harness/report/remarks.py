"""The text below the table: what is not ok and why, each warning once, and what the signs mean."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from harness.report.figures import speedup
from harness.report.summary import Summary
from harness.runner.row import FINE, Row

UNTOLD = frozenset({"interrupted", "diverged", "wrong"})
"""States whose reason is complete: what the worker printed last has nothing to do with them."""


def reasons(summaries: Sequence[Summary]) -> list[str]:
    """Return a line for everything that is not ok: its state, the cell, the rounds and the reason."""
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
    """The rounds, unless it is all of them."""
    said: str


def causes(summary: Summary) -> list[Cause]:
    """Return each cause once, with its rounds."""
    rounds_by_cause: dict[tuple[str, str, str], list[int]] = {}
    for row in summary.rows:
        if row.state != "ok":
            rounds_by_cause.setdefault((row.state, row.reason, _last_words(row)), []).append(row.round)
    told = []
    for (state, reason, last), rounds in rounds_by_cause.items():
        where = "" if len(rounds) == len(summary.rows) else f" (round {', '.join(map(str, rounds))})"
        told.append(Cause(state, where, f"{reason or 'no reason given'}{f'; {last}' if last else ''}"))
    return told


def _last_words(row: Row) -> str:
    """Return the line of code at which a worker was ended, if it printed that; otherwise the last line that it printed.

    Return nothing if the reason already contains it, or if wrong figures are the cause and not what was printed.
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
    """Return each warning once, whatever numbers it contains, with its first cell and the number of the others."""
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
    notes = []
    if any("?" in speedup(summary.speedup) for summary in summaries):
        notes.append("?: too few rounds, or the 95 % interval of the speedup contains 1: no claim")
    if any(summary.speedup and (summary.lost or summary.counterpart_lost) for summary in summaries):
        notes.append("*: the cell or its serial counterpart lost rounds, and the speedup rests on the others")
    if any(summary.unranked for summary in summaries):
        notes.append("[ ]: rounding alone decides where this training ends, so the time is not ranked or compared")
    return notes


def _namer(summaries: Iterable[Summary]) -> Callable[[Summary], str]:
    """Return a function that names a cell, with its network and dataset if there are several."""

    def problem(summary: Summary) -> str:
        return f" on {'-'.join(map(str, summary.cell.network.sizes))}, {summary.cell.dataset}"

    several = len({problem(summary) for summary in summaries}) > 1

    def named(summary: Summary) -> str:
        cell = summary.cell
        return f"{summary.label} workers={cell.workers} batch={cell.batch}{problem(summary) if several else ''}"

    return named
