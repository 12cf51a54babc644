"""``harness studies`` lists the studies inside the package, and how many cells each has on this machine."""

from __future__ import annotations

import argparse
import json
from typing import Any

from harness.cli.aligned import aligned
from harness.errors import HarnessError
from harness.machine import cores as machine
from harness.plan.planning import make_plan
from harness.plan.site import this_site
from harness.study import read_study, shipped_studies
from harness.study.catalogue import installed

SCHEMA_VERSION = 1
HEADINGS = ("STUDY", "CELLS", "TITLE", "BACKENDS")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--json", action="store_true", help="print a list with one object for each study")


def run(args: argparse.Namespace) -> int:
    """Print the list; return 0."""
    entries = [_entry(name) for name in shipped_studies()]
    if args.json:
        print(json.dumps(entries, indent=2))
        return 0
    rows = [(entry["name"], entry["cells"], entry["title"], _backends(entry)) for entry in entries]
    print(aligned(HEADINGS, rows, frozenset({"CELLS"})))
    return 0


def _entry(name: str) -> dict[str, Any]:
    """Describe one study. If none of its backends is installed it has no cells, and ``reason`` says so."""
    entry: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "name": name, "title": name, "about": "", "cells": 0}
    entry |= {"backends": [], "not_installed": [], "reason": ""}
    try:
        study = read_study(name, catalogue=installed())
        plan = make_plan(study, this_site(machine.cores()))
    except HarnessError as error:
        return {**entry, "reason": str(error)}
    return {
        **entry,
        "title": study.title,
        "about": study.about,
        "cells": len(plan.cells),
        "backends": list(dict.fromkeys(backend.name for backend in study.backends)),
        "not_installed": list(study.left_out),
    }


def _backends(entry: dict[str, Any]) -> str:
    if entry["reason"]:
        return str(entry["reason"])
    absent = ", ".join(entry["not_installed"])
    return " ".join(entry["backends"]) + (f" (not installed: {absent})" if absent else "")
