"""Where rows belong on the history of the code: the commit that measured them. Pure."""

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
    """One file of asv's results: a commit on a machine under a Python."""

    machine: str
    commit: str
    python: str


def spots(stored: Iterable[Stored]) -> tuple[dict[Spot, list[Row]], int]:
    """Return rows by where they belong, and how many belong nowhere: not measured at a commit as it stands.

    A row without a receipt, of a cell that crashed, belongs where all the others of its run do.
    """
    every = list(stored)
    runs: dict[str, set[tuple[str | None, str]]] = defaultdict(set)
    for one in every:
        if one.row.receipt:
            runs[one.run].add(_origin(one.row))
    found: dict[Spot, list[Row]] = defaultdict(list)
    for one in every:
        known = {_origin(one.row)} if one.row.receipt else runs[one.run]
        at, python = next(iter(known)) if len(known) == 1 else (None, "")
        if at is not None:
            found[Spot(slug(one.row.machine), at, python)].append(one.row)
    return dict(found), len(every) - sum(map(len, found.values()))


def _origin(row: Row) -> tuple[str | None, str]:
    found = re.match(r"\d+\.\d+", str(inside(row.receipt, "python").get("version", "")))
    return commit(row), found[0] if found else "unknown"


def commit(row: Row) -> str | None:
    """Return the commit whose code measured a row, ``None`` where it was changed since, or is not known."""
    parts = inside(row.receipt, "origin")
    known = [part for part in (inside(parts, "harness"), inside(parts, "plugin")) if part]
    found = inside(parts, "harness").get("commit")
    clean = isinstance(found, str) and COMMIT.fullmatch(found) and not any(part.get("dirty") for part in known)
    return str(found) if clean else None


def slug(name: str) -> str:
    """Return a name that can stand in asv's paths: letters, digits, and a few signs, never at the beginning."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-") or "unnamed"


def inside(values: Any, name: str) -> dict[str, Any]:
    """Return a part of a receipt; a store may come from anywhere, so that it may be anything."""
    found = values.get(name) if hasattr(values, "get") else None
    return found if isinstance(found, dict) else {}
