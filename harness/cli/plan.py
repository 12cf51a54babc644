"""``harness plan STUDY`` shows the cells, how long they take, and which cannot run here and why. It runs nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Container, Iterable
from typing import Any

from harness.cli.aligned import aligned
from harness.contract import options as tables
from harness.contract.environment import Option
from harness.contract.registry import backends, dataset
from harness.datasets import shape_of
from harness.errors import clean
from harness.plan.cell import Cell
from harness.plan.estimate import Duration, estimate
from harness.plan.model import Plan
from harness.session import running
from harness.study.units import seconds, spoken

SCHEMA_VERSION = 1
HEADINGS = ("BACKEND", "OPTIONS", "WORKERS", "DATASET", "NETWORK", "BATCH", "RATE", "TIME A ROUND")
RIGHT = frozenset({"WORKERS", "BATCH", "RATE", "TIME A ROUND"})
AXES = ("seed", "init", "shuffle")
"""These columns are shown only if the study has several values of them."""
NOT_ASKED = "not asked"
"""What stands beside the cells of another interpreter: whether it has the backend is not known before the run."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("study", help="a study's name (see: harness studies) or the path of its .toml file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    parser.add_argument("--budget", metavar="TIME", help="pick as many rounds as fit, as in 90s, 10m or 1h30m")
    parser.add_argument("--store", default=running.STORE, help="take earlier times from here (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one object with every cell")


def run(args: argparse.Namespace) -> int:
    """Print the plan; return 0."""
    budget = None if args.budget is None else seconds(args.budget)
    study, plan = running.prepared(args.study, args.set, ask=False)
    earlier = running.earlier_times(args.store)
    expected = estimate(plan, lambda cell: shape_of(cell.dataset, cell.dataset_options).rows, earlier)
    if budget is not None:
        plan = running.within(plan, budget, earlier)
    if args.json:
        print(json.dumps(_object(plan, expected), indent=2))
        return 0
    for note in plan.notes:
        print(f"harness: note: {clean(note)}", file=sys.stderr)
    print("\n".join([clean(plan.title), *map(clean, study.about.splitlines()), "", _table(plan, expected), ""]))
    print(_total(plan, expected))
    for line in (*_refusals(plan), *_unasked(plan)):
        print(line)
    return 0


def _table(plan: Plan, expected: Duration) -> str:
    several = [name for name in AXES if len({getattr(cell, name) for cell in plan.cells}) > 1]
    told = {(cell.backend, *item) for cell in plan.cells for item in cell.options.items()}
    varied = {pair for pair, count in Counter((backend, name) for backend, name, _ in told).items() if count > 1}
    headings = (*HEADINGS[:-1], *(name.upper() for name in several), HEADINGS[-1])
    rows = [
        (*_row(cell, varied), *(getattr(cell, name) for name in several), spoken(time))
        for cell, time in zip(plan.cells, expected.seconds, strict=True)
    ]
    return aligned(headings, rows, RIGHT)


def _row(cell: Cell, varied: Container[tuple[str, str]]) -> tuple[object, ...]:
    """Return the columns of a cell, without the options that have their default value in every cell."""
    usual = backends()[cell.backend].defaults() if cell.python is None else {}
    options = {
        name: value
        for name, value in cell.options.items()
        if (cell.backend, name) in varied or usual.get(name) != value
    }
    given = cell.dataset_options.items() - tables.defaults(dataset(cell.dataset).options).items()
    problem = " ".join([cell.dataset, *_pairs(sorted(given))])
    shown = _pairs(options.items()) + ([f"({NOT_ASKED})"] if cell.python is not None else [])
    return (
        cell.backend,
        " ".join(shown) or "-",
        cell.workers,
        problem,
        cell.network,
        cell.batch,
        f"{cell.rate:g}",
    )


def _pairs(options: Iterable[tuple[str, Option]]) -> list[str]:
    return [f"{name}={value}" for name, value in options]


def _total(plan: Plan, expected: Duration) -> str:
    source = f"{expected.known} of {len(plan.cells)} cells by earlier times, the others roughly"
    total = spoken(expected.round * plan.rounds)
    return f"{_many(len(plan.cells), 'cell')} in {_many(plan.rounds, 'round')}: about {total} ({source})"


def _refusals(plan: Plan) -> list[str]:
    """Return one line for each reason, with the number of cells that it stops."""
    counts: dict[tuple[str, str], int] = {}
    for refused in plan.refused:
        reason = refused.state, refused.reason
        counts[reason] = counts.get(reason, 0) + 1
    return [clean(f"{_many(count, 'cell')} {state}: {reason}") for (state, reason), count in counts.items()]


def _unasked(plan: Plan) -> list[str]:
    """Return one line for each interpreter that the study names: planning does not start it."""
    counts = Counter(cell.python for cell in plan.cells if cell.python is not None)
    return [
        clean(f"{_many(count, 'cell')} {NOT_ASKED}: planning does not start {python}; harness run asks it")
        for python, count in counts.items()
    ]


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _object(plan: Plan, expected: Duration) -> dict[str, Any]:
    times = zip(plan.cells, expected.seconds, strict=True)
    return {
        "schema_version": SCHEMA_VERSION,
        "study": plan.study,
        "title": plan.title,
        "rounds": plan.rounds,
        "seed": plan.seed,
        "seconds": expected.round * plan.rounds,
        "cells": [
            {**cell.to_json(), "key": cell.key, "seconds": time, "asked": cell.python is None} for cell, time in times
        ],
        "refused": [
            {**refused.cell.to_json(), "key": refused.cell.key, "state": refused.state, "reason": refused.reason}
            for refused in plan.refused
        ],
        "notes": list(plan.notes),
    }
