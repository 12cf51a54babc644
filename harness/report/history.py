"""Rows on the history of the code, for asv: which commit measured them, and one figure for each place of a grid. Pure.

asv wants figures that are the better the lower, a grid of parameters for each of them, and tells three things apart: a
number, ``nan`` for what is not there, and ``None`` for what failed.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from harness.cell import Cell
from harness.row import FINE, Row
from harness.store import Stored

COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
NAMES = ("backend", "workers", "batch", "network", "problem")
"""The parameters of every figure. Their order is part of what asv keeps: it never changes."""
Place = tuple[str, ...]
"""One value for each parameter, as asv writes them."""


@dataclass(frozen=True)
class Figure:
    """One thing that asv tracks."""

    name: str
    unit: str
    kind: str
    """asv's type: ``time``, ``memory`` or ``track``."""
    samples: Callable[[Row], Sequence[float | None]]


FIGURES = (
    Figure("epoch", "seconds", "time", lambda row: row.epoch_seconds),
    Figure("first_epoch", "seconds", "time", lambda row: [row.first_epoch_seconds]),
    Figure("ns_per_flop", "ns/FLOP", "track", lambda row: [1 / row.gflops if row.gflops else None]),
    Figure("error_rate", "error rate", "track", lambda row: [None if row.accuracy is None else 1 - row.accuracy]),
    Figure("peak_bytes", "bytes", "memory", lambda row: [row.peak_bytes]),
)


@dataclass(frozen=True, order=True)
class Spot:
    """One file of asv's results: a commit on a machine under a Python."""

    machine: str
    commit: str
    python: str


@dataclass(frozen=True)
class Track:
    """One figure of one study at one spot: the values of each parameter, and samples in the order of their product."""

    name: str
    figure: Figure
    params: tuple[tuple[str, ...], ...]
    results: tuple[tuple[float, ...] | None, ...]
    """Samples, none of them where nothing was measured; ``None`` where a cell failed."""


def spots(stored: Iterable[Stored]) -> tuple[dict[Spot, list[Row]], int]:
    """Return rows by where they belong, and how many belong nowhere: not measured at a commit as it stands."""
    every = list(stored)
    runs: dict[str, set[str | None]] = defaultdict(set)
    for one in every:
        if one.row.receipt:
            runs[one.run].add(commit(one.row))
    found: dict[Spot, list[Row]] = defaultdict(list)
    for one in every:
        known = runs[one.run]
        at = commit(one.row) if one.row.receipt else next(iter(known)) if len(known) == 1 else None
        if at is not None:
            found[Spot(slug(one.row.machine), at, _python(one.row))].append(one.row)
    return dict(found), len(every) - sum(map(len, found.values()))


def commit(row: Row) -> str | None:
    """Return the commit whose code measured a row, ``None`` where it was changed since, or is not known."""
    parts = inside(row.receipt, "origin")
    known = [part for part in (inside(parts, "harness"), inside(parts, "plugin")) if part]
    found = inside(parts, "harness").get("commit")
    clean = isinstance(found, str) and COMMIT.fullmatch(found) and not any(part.get("dirty") for part in known)
    return str(found) if clean else None


def tracks(rows: Iterable[Row]) -> list[Track]:
    """Return every figure of every study among the rows of one spot."""
    studies: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        studies[slug(row.cell.study)].append(row)
    return [_track(study, figure, found) for study, found in sorted(studies.items()) for figure in FIGURES]


def _track(study: str, figure: Figure, rows: Sequence[Row]) -> Track:
    placed: dict[Place, list[Row]] = defaultdict(list)
    for row in rows:
        placed[place(row.cell)].append(row)
    params = tuple(tuple(dict.fromkeys(values)) for values in zip(*sorted(placed), strict=True))
    results = tuple(_result(figure, placed.get(here, [])) for here in product(*params))
    return Track(f"study.{study}.{figure.name}", figure, params, results)


def _result(figure: Figure, rows: Iterable[Row]) -> tuple[float, ...] | None:
    """A round that failed voids the figure, as it voids the cell in every table."""
    found: list[float] = []
    for row in rows:
        if row.state not in FINE:
            return None
        if row.state == "ok":
            found += [float(value) for value in figure.samples(row) if value is not None and math.isfinite(value)]
    return tuple(found)


def place(cell: Cell) -> Place:
    """Return what tells a cell from the others of its study, as asv writes parameters."""
    layers = cell.network.layers
    shapes = ["-".join(map(str, cell.network.sizes)), "-".join(dict.fromkeys(one.activation for one in layers))]
    settings = {**cell.dataset_options, "rate": cell.rate, "seed": cell.seed, "shuffle": cell.shuffle}
    words = (
        " ".join([cell.backend, *_settings(cell.options)]),
        cell.workers,
        cell.batch,
        " ".join([*shapes, cell.network.loss, cell.network.dtype]),
        " ".join([cell.dataset, cell.init, *_settings({**settings, "epochs": cell.epochs})]),
    )
    return tuple(map(repr, words))


def _settings(options: Any) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(options.items())]


def slug(name: str) -> str:
    """Return a name that can stand in asv's paths: letters, digits, and a few signs, never at the beginning."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-") or "unnamed"


def _python(row: Row) -> str:
    found = re.match(r"\d+\.\d+", str(inside(row.receipt, "python").get("version", "")))
    return found[0] if found else "unknown"


def inside(values: Any, name: str) -> dict[str, Any]:
    """Return a part of a receipt; a store may come from anywhere, so that it may be anything."""
    found = values.get(name) if hasattr(values, "get") else None
    return found if isinstance(found, dict) else {}
