"""Which commit measured each row, so that asv can place it in the history of the code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.runner.row import Row
from harness.store import Stored

COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True, order=True)
class Spot:
    """One results file of asv: a commit on a machine with one version of Python."""

    machine: str
    commit: str
    python: str


def spots(stored: Iterable[Stored]) -> tuple[dict[Spot, list[Row]], int]:
    """Return the rows by spot, and the number of rows that no unchanged commit measured.

    A row without a receipt, from a cell that crashed, belongs to the spot of all other rows of its run.
    """
    every = list(stored)
    runs: dict[str, set[tuple[str | None, str]]] = defaultdict(set)
    for entry in every:
        if entry.row.receipt:
            runs[entry.run].add(_origin(entry.row))
    placed: dict[Spot, list[Row]] = defaultdict(list)
    for entry in every:
        known = {_origin(entry.row)} if entry.row.receipt else runs[entry.run]
        at, python = next(iter(known)) if len(known) == 1 else (None, "")
        if at is not None:
            placed[Spot(slug(entry.row.machine), at, python)].append(entry.row)
    return dict(placed), len(every) - sum(map(len, placed.values()))


def _origin(row: Row) -> tuple[str | None, str]:
    version = re.match(r"\d+\.\d+", str(inside(row.receipt, "python").get("version", "")))
    return commit(row), version[0] if version else "unknown"


def commit(row: Row) -> str | None:
    """Return the commit whose code measured a row; ``None`` if the code had uncommitted changes or is not known."""
    parts = inside(row.receipt, "origin")
    known = [part for part in (inside(parts, "harness"), inside(parts, "plugin")) if part]
    name = inside(parts, "harness").get("commit")
    clean = isinstance(name, str) and COMMIT.fullmatch(name) and not any(part.get("dirty") for part in known)
    return str(name) if clean else None


def slug(name: str) -> str:
    """Return a name for the paths of asv: letters, digits and a few other signs, none of which begins the name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-") or "unnamed"


def inside(values: Any, name: str) -> dict[str, Any]:
    """Return a part of a receipt, or an empty one: a store may come from anywhere and may hold anything."""
    part = values.get(name) if hasattr(values, "get") else None
    return part if isinstance(part, dict) else {}
