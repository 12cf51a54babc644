"""From a ``Study`` to a ``Plan``: every combination of the axes without those of ``exclude``, plus ``include``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from harness.errors import RequestError
from harness.plan.candidates import Candidate, Point, Points, axes_of, configurations, included, matches
from harness.plan.cell import Cell
from harness.plan.model import Plan, Refused, Site
from harness.study.model import BackendEntry, Study

MOST = 20_000
"""Cells of one study, at most; more of them are surely a mistake in its axes."""


def make_plan(study: Study, site: Site) -> Plan:
    """Return every cell of a study for this site; cells that cannot run here are apart, each with the reason.

    Raise ``RequestError`` if there are too many cells, or none because of the ``exclude`` rules.
    """
    points = Points(site)
    used: set[str] = set()
    chosen = [*_kept(study, site, points, used), *_added(study, site, points)]
    cells: dict[str, Cell] = {}
    refused: dict[str, Refused] = {}
    for candidate in chosen:
        cell = candidate.cell(study)
        refusal = _refusal(candidate, cell, site)
        if refusal is None:
            cells.setdefault(cell.key, cell)
        else:
            refused.setdefault(cell.key, refusal)
    if not cells and not refused:
        raise RequestError(f"study {study.name!r}: its exclude rules leave nothing to run")
    return Plan(
        study=study.name,
        title=study.title,
        cells=tuple(cells.values()),
        refused=tuple(refused.values()),
        rounds=study.rounds,
        seed=study.seed[0],
        notes=(*_left_out(study), *_unused(study, used), *_clamped(chosen)),
    )


def _kept(study: Study, site: Site, points: Points, used: set[str]) -> Iterator[Candidate]:
    """Yield the study's candidates that no rule excludes; add the origin of every rule that matched to ``used``."""
    for candidate in _product(study, study.backends, axes_of(study), site, points):
        rules = [rule.origin for rule in study.exclude if matches(rule, candidate, site)]
        used.update(rules)
        if not rules:
            yield candidate


def _added(study: Study, site: Site, points: Points) -> Iterator[Candidate]:
    for rule in study.include:
        axes = {**axes_of(study), **{name: values for name, values in rule.axes.items() if name in axes_of(study)}}
        yield from _product(study, list(included(rule, study, site)), axes, site, points)


def _product(
    study: Study,
    entries: Iterable[BackendEntry],
    axes: Mapping[str, tuple[Any, ...]],
    site: Site,
    points: Points,
) -> Iterator[Candidate]:
    entries = list(entries)
    combinations = math.prod(len(values) for values in axes.values())
    size = sum(combinations * len(entry.workers) * math.prod(map(len, entry.options.values())) for entry in entries)
    if size > MOST:
        raise RequestError(f"study {study.name!r}: {size} cells before its rules; {MOST} at most, so split the study")
    every = list(points.of(axes))
    for entry in entries:
        spec = site.spec(entry.name, entry.python)
        for options, workers in configurations(entry, spec, site.cores):
            for point in every:
                yield Candidate(entry, spec, options, workers, point)


def _refusal(candidate: Candidate, cell: Cell, site: Site) -> Refused | None:
    if candidate.point.unsupported:
        return Refused(cell, "unsupported", candidate.point.unsupported)
    spec = candidate.spec
    launched = spec is not None and spec.launcher is not None
    if spec is not None and cell.workers > 1 and cell.options.get("device", "cpu") != "cpu" and not launched:
        return Refused(cell, "unsupported", f"{cell.workers} workers on one device; a device takes workers=1")
    if reason := _too_large(candidate.point, site):
        return Refused(cell, "unavailable", reason)
    reason = None if cell.python or spec is None else site.missing(spec)
    return Refused(cell, "unavailable", f"{cell.backend} {reason}") if reason else None


def _too_large(point: Point, site: Site) -> str | None:
    """Return a reason if the rows alone need more memory than the machine has; loading them would stop the machine."""
    shape = point.shape
    numbers = shape.rows * (shape.inputs + shape.outputs)
    gib = numbers * np.dtype(point.network.dtype).itemsize / 2**30
    if not site.memory_gib or gib <= site.memory_gib:
        return None
    name = point.axes["dataset"].name
    return f"the rows of {name} alone take {gib:,.0f} GiB, and this machine has {site.memory_gib} GiB"


def _left_out(study: Study) -> Iterator[str]:
    for name in study.left_out:
        yield f"backend {name!r} is not installed, so it is left out"


def _unused(study: Study, used: set[str]) -> Iterator[str]:
    """Name the rules that exclude nothing, unless their backends were left out by ``--set`` or are not installed."""
    names = {entry.name for entry in study.backends}
    for rule in study.exclude:
        if rule.origin not in used and names.intersection(rule.axes.get("backend", names)):
            yield f"{rule.origin}: this exclude rule matches no cell"


def _clamped(chosen: list[Candidate]) -> Iterator[str]:
    """Say if a batch is larger than the training set, so that it becomes one batch of all rows."""
    notes: dict[tuple[object, str], str] = {}
    for candidate in chosen:
        point = candidate.point
        asked = point.axes["batch"]
        if asked not in ("all", point.batch):
            name = point.axes["dataset"].name
            notes[asked, name] = f"batch {asked} is more than the {point.batch} rows of {name}: one batch of all rows"
    yield from notes.values()
