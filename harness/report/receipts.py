"""Receipts for reading: what all cells of a machine have in common is shown once, the rest by cell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.summary import Section, Summary

LONGEST, MOST = 160, 120
"""How many letters of a value, and how many values of a receipt, are shown; ``harness export`` has everything."""
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CellReceipt:
    """What the receipt of one cell says, without what all cells of its machine have in common."""

    title: str
    facts: Facts


@dataclass(frozen=True)
class MachineReceipts:
    """A machine, what its receipts have in common, and the rest for each cell."""

    machine: str
    common: Facts
    cells: tuple[CellReceipt, ...]


def receipts(sections: Iterable[Section]) -> list[MachineReceipts]:
    """Return the receipts by machine; a cell shows the receipt of its first good round, or else of its last round."""
    machines: dict[str, list[Summary]] = {}
    for section in sections:
        machines.setdefault(section.problem.machine, []).extend(section.summaries)
    return [_machine(name, summaries) for name, summaries in machines.items()]


def _machine(name: str, summaries: Sequence[Summary]) -> MachineReceipts:
    told = [(summary, dict(leaves(_receipt(summary)))) for summary in summaries if _receipt(summary)]
    counts = Counter(fact for _, facts in told for fact in facts.items())
    common = {fact for fact, count in counts.items() if count == len(told)}
    shared = tuple(sorted(common))
    cells = tuple(
        CellReceipt(_title(summary), _cut([fact for fact in facts.items() if fact not in common]))
        for summary, facts in told
    )
    return MachineReceipts(name, _cut(shared), cells)


def _receipt(summary: Summary) -> Mapping[str, Any]:
    return (summary.good[0] if summary.good else summary.rows[-1]).receipt


def _title(summary: Summary) -> str:
    cell = summary.cell
    network = "-".join(map(str, cell.network.sizes))
    return f"{summary.label}, workers {cell.workers}, batch {cell.batch}, {network} on {cell.dataset}: {summary.state}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every plain value of a receipt with its path; a list of plain values counts as one value."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, f"{path} / {name}" if path else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for place, item in enumerate(value):
            yield from leaves(item, f"{path} {place + 1}")
    else:
        yield path, _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _cut(facts: Sequence[tuple[str, str]]) -> Facts:
    left = len(facts) - MOST
    return (*facts[:MOST], *([("…", f"{left} more: harness export has all")] if left > 0 else []))
