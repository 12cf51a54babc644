"""Rows in the form of asv: figures over a grid of parameters.

In asv, lower figures are better, and each figure has a grid of parameters. A value is a number, ``nan`` if there is
none, or ``None`` if it failed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from harness.plan.cell import Cell
from harness.report.asv_commits import slug
from harness.report.moments import comparable
from harness.runner.row import FINE, Row

NAMES = ("backend", "workers", "batch", "network", "problem")
"""The parameters of every figure. asv stores results in this order, so it must never change."""
Place = tuple[str, ...]
"""One value for each parameter, as asv writes them."""


@dataclass(frozen=True)
class Tracked:
    """One figure that asv tracks."""

    name: str
    unit: str
    kind: str
    """Its type in asv: ``time``, ``memory`` or ``track``."""
    samples: Callable[[Row], Sequence[float | None]]


FIGURES = (
    Tracked("epoch", "seconds", "time", lambda row: row.epoch_seconds if comparable(row) else ()),
    Tracked("first_epoch", "seconds", "time", lambda row: [row.first_epoch_seconds]),
    Tracked("ns_per_flop", "ns/FLOP", "track", lambda row: [1 / row.gflops if row.gflops else None]),
    Tracked("error_rate", "error rate", "track", lambda row: [None if row.accuracy is None else 1 - row.accuracy]),
    Tracked("peak_bytes", "bytes", "memory", lambda row: [row.peak_bytes]),
)


@dataclass(frozen=True)
class Track:
    """One figure of one study at one spot: the values of each parameter, and samples in the order of their product."""

    name: str
    figure: Tracked
    params: tuple[tuple[str, ...], ...]
    results: tuple[tuple[float, ...] | None, ...]
    """The samples of each cell: an empty tuple if nothing was measured, ``None`` if the cell failed."""


def tracks(rows: Iterable[Row]) -> list[Track]:
    """Return every figure of every study among the rows of one spot."""
    studies: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        studies[slug(row.cell.study)].append(row)
    return [_track(study, figure, own) for study, own in sorted(studies.items()) for figure in FIGURES]


def _track(study: str, figure: Tracked, rows: Sequence[Row]) -> Track:
    placed: dict[Place, list[Row]] = defaultdict(list)
    for row in rows:
        placed[place(row.cell)].append(row)
    params = tuple(tuple(dict.fromkeys(values)) for values in zip(*sorted(placed), strict=True))
    results = tuple(_result(figure, placed.get(here, [])) for here in product(*params))
    return Track(f"study.{study}.{figure.name}", figure, params, results)


def _result(figure: Tracked, rows: Iterable[Row]) -> tuple[float, ...] | None:
    """Return the samples of a cell; ``None`` if any of its rounds failed."""
    samples: list[float] = []
    for row in rows:
        if row.state not in FINE:
            return None
        if row.state == "ok":
            samples += [float(value) for value in figure.samples(row) if value is not None and math.isfinite(value)]
    return tuple(samples)


def place(cell: Cell) -> Place:
    """Return what distinguishes a cell from the others of its study, as asv writes parameters."""
    layers = cell.network.layers
    shapes = ["-".join(map(str, cell.network.sizes)), "-".join(dict.fromkeys(layer.activation for layer in layers))]
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
