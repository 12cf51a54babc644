"""From a ``Study`` to a ``Plan``: the product of all axes, less ``exclude``, and ``include`` on top."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from harness.errors import RequestError
from harness.plan.candidates import Candidate, configurations, included, matches
from harness.plan.cell import Cell
from harness.plan.model import Plan, Refused, Site
from harness.plan.problems import Problem, Problems, axes_of
from harness.study.model import BackendEntry, Study

MOST = 20_000
"""Cells of one study; a product that explodes is a slip, not a plan."""


def make_plan(study: Study, site: Site) -> Plan:
    """Return every cell of a study for this site, those that cannot run here apart with the reason."""
    problems = Problems(site)
    used: set[str] = set()
    chosen = [*_kept(study, site, problems, used), *_added(study, site, problems)]
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


def _kept(study: Study, site: Site, problems: Problems, used: set[str]) -> Iterator[Candidate]:
    """The product of the study less what a rule excludes; ``used`` gets the origin of every rule that did."""
    for candidate in _product(study, study.backends, axes_of(study), site, problems):
        rules = [rule.origin for rule in study.exclude if matches(rule, candidate, site)]
        used.update(rules)
        if not rules:
            yield candidate


def _added(study: Study, site: Site, problems: Problems) -> Iterator[Candidate]:
    for rule in study.include:
        axes = {**axes_of(study), **{name: values for name, values in rule.axes.items() if name in axes_of(study)}}
        yield from _product(study, list(included(rule, study, site)), axes, site, problems)


def _product(
    study: Study,
    entries: Iterable[BackendEntry],
    axes: Mapping[str, tuple[Any, ...]],
    site: Site,
    problems: Problems,
) -> Iterator[Candidate]:
    entries = list(entries)
    points = math.prod(len(values) for values in axes.values())
    size = sum(points * len(entry.workers) * math.prod(map(len, entry.options.values())) for entry in entries)
    if size > MOST:
        raise RequestError(f"study {study.name!r}: {size} cells before its rules; {MOST} at most, so split it")
    every = list(problems.of(axes))
    for entry in entries:
        spec = site.spec(entry.name, entry.python)
        for options, workers in configurations(entry, spec, site.cores):
            for problem in every:
                yield Candidate(entry, spec, options, workers, problem)


def _refusal(candidate: Candidate, cell: Cell, site: Site) -> Refused | None:
    if candidate.problem.unsupported:
        return Refused(cell, "unsupported", candidate.problem.unsupported)
    if cell.workers > 1 and cell.options.get("device", "cpu") != "cpu" and candidate.spec.launcher is None:
        return Refused(cell, "unsupported", f"{cell.workers} workers on one device; a device takes workers=1")
    if reason := _too_large(candidate.problem, site):
        return Refused(cell, "unavailable", reason)
    reason = None if cell.python else site.missing(candidate.spec)
    return Refused(cell, "unavailable", f"{cell.backend} {reason}") if reason else None


def _too_large(problem: Problem, site: Site) -> str | None:
    """Say that the rows alone fill the memory, where they do: loading them would take the machine down."""
    shape = problem.shape
    numbers = shape.rows * (shape.inputs + shape.outputs)
    gib = numbers * np.dtype(problem.network.dtype).itemsize / 2**30
    if not site.memory_gib or gib <= site.memory_gib:
        return None
    name = problem.axes["dataset"].name
    return f"the rows of {name} alone take {gib:,.0f} GiB, and this machine has {site.memory_gib} GiB"


def _left_out(study: Study) -> Iterator[str]:
    for name in study.left_out:
        yield f"backend {name!r} is not installed, so it is left out"


def _unused(study: Study, used: set[str]) -> Iterator[str]:
    """Name the rules that exclude nothing, unless they are about backends that ``--set`` or an install left out."""
    names = {entry.name for entry in study.backends}
    for rule in study.exclude:
        if rule.origin not in used and names.intersection(rule.axes.get("backend", names)):
            yield f"{rule.origin}: this exclude rule matches no cell"


def _clamped(chosen: list[Candidate]) -> Iterator[str]:
    """Say where a batch is larger than the set, so that it comes to one batch of all rows."""
    seen: dict[tuple[object, str], str] = {}
    for candidate in chosen:
        problem = candidate.problem
        asked = problem.axes["batch"]
        if asked not in ("all", problem.batch):
            name = problem.axes["dataset"].name
            seen[asked, name] = f"batch {asked} is more than the {problem.batch} rows of {name}: one batch of all rows"
    yield from seen.values()
