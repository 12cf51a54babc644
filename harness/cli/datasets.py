"""``harness datasets`` lists the datasets, their licences, and whether their files are here."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from harness.cli.aligned import aligned
from harness.contract.dataset import Dataset
from harness.contract.options import plain
from harness.contract.registry import registry
from harness.datasets import remote_files
from harness.datasets.files import data_folders, present
from harness.errors import HarnessError, clean

SCHEMA_VERSION = 1
HEADINGS = ("DATASET", "INPUTS", "OUTPUTS", "LICENCE", "WHERE", "SUMMARY")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--json", action="store_true", help="print a list with one object for each dataset")


def run(args: argparse.Namespace) -> int:
    """Print the list; return 0."""
    entries = [_entry(dataset) for dataset in registry().datasets.values()]
    if args.json:
        print(json.dumps(entries, indent=2))
        return 0
    names = ("name", "inputs", "outputs", "licence")
    rows = [(*(entry[name] for name in names), _where(entry), entry["summary"]) for entry in entries]
    print(aligned(HEADINGS, rows, frozenset({"INPUTS", "OUTPUTS"})))
    print(f"files are looked for in {' and then '.join(clean(folder) for folder in data_folders())}", file=sys.stderr)
    return 0


def _entry(dataset: Dataset) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "name": dataset.name,
        "summary": dataset.summary,
        "inputs": dataset.inputs,
        "outputs": dataset.outputs,
        "licence": dataset.licence,
        "options": plain(dataset.options),
        **_files(dataset),
    }


def _files(dataset: Dataset) -> dict[str, Any]:
    """Return which files the dataset needs with its default options, and where they are."""
    try:
        paths = {file.path: present(file) for file in remote_files(dataset.name)}
    except HarnessError as error:
        return {"files": {}, "here": False, "reason": str(error)}
    files = {name: None if path is None else str(path) for name, path in paths.items()}
    return {"files": files, "here": None not in files.values(), "reason": ""}


def _where(entry: dict[str, Any]) -> str:
    if entry["reason"]:
        return str(entry["reason"])
    if not entry["files"]:
        return "inside"
    return "here" if entry["here"] else f"harness fetch {entry['name']}"
