"""Receipts for reading: what all cells of a machine have in common stands once, each cell shows what is its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.summary import Section, Summary

LONGEST, MOST = 160, 120
"""Letters of a value and values of a receipt that are shown; ``harness export`` has them all."""
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CellReceipt:
    """What the receipt of one cell says beyond what its machine's cells have in common."""

    title: str
    facts: Facts


@dataclass(frozen=True)
class MachineReceipts:
    """A machine, what its receipts have in common, and those of its cells."""

    machine: str
    common: Facts
    cells: tuple[CellReceipt, ...]


def receipts(sections: Iterable[Section]) -> list[MachineReceipts]:
    """Return the receipts by machine; of each cell, that of the first good round, or else of the last round."""
    machines: dict[str, list[Summary]] = {}
    for section in sections:
        machines.setdefault(section.problem.machine, []).extend(section.summaries)
    return [_machine(name, summaries) for name, summaries in machines.items()]


def _machine(name: str, summaries: Sequence[Summary]) -> MachineReceipts:
    told = [(one, dict(leaves(_receipt(one)))) for one in summaries if _receipt(one)]
    counts = Counter(leaf for _, found in told for leaf in found.items())
    common = {leaf for leaf, count in counts.items() if count == len(told)}
    shared = tuple(sorted(common))
    cells = tuple(
        CellReceipt(_title(one), _cut([leaf for leaf in found.items() if leaf not in common])) for one, found in told
    )
    return MachineReceipts(name, _cut(shared), cells)


def _receipt(one: Summary) -> Mapping[str, Any]:
    return (one.good[0] if one.good else one.rows[-1]).receipt


def _title(one: Summary) -> str:
    cell = one.cell
    network = "-".join(map(str, cell.network.sizes))
    return f"{one.label}, workers {cell.workers}, batch {cell.batch}, {network} on {cell.dataset}: {one.state}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every plain value of a receipt with its path; a list of plain values counts as one."""
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


def _cut(found: Sequence[tuple[str, str]]) -> Facts:
    left = len(found) - MOST
    return (*found[:MOST], *([("…", f"{left} more: harness export has all")] if left > 0 else []))
