"""``harness backends`` lists what is installed, what each does, and why one is not available. It imports no backend."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from harness.cli.output import prose_width
from harness.contract.options import plain
from harness.contract.registry import Registry, missing, registry
from harness.contract.spec import BackendSpec
from harness.errors import clean

SCHEMA_VERSION = 1
"""The version of each object that ``--json`` prints. Fields are added to it and never removed."""

HEADINGS = ("BACKEND", "PARALLEL OVER", "ALGEBRA", "DISTRIBUTION")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--json", action="store_true", help="print a list with one object for each backend")


def run(args: argparse.Namespace) -> int:
    """Print the list on standard output and one line for each problem on standard error; return 0."""
    known = registry()
    for fault in known.faults:
        print(f"harness: {fault}", file=sys.stderr)
    entries = [_entry(spec, known) for spec in known.backends.values()]
    print(json.dumps(entries, indent=2) if args.json else _table(entries))
    return 0


def _entry(spec: BackendSpec, known: Registry) -> dict[str, Any]:
    reason = missing(spec)
    source = known.sources[spec.name]
    return {
        "schema_version": SCHEMA_VERSION,
        "name": spec.name,
        "distribution": source.distribution,
        "version": source.version,
        "summary": spec.summary,
        "parallel": spec.parallel,
        "algebra": spec.algebra,
        "options": plain(spec.options),
        "available": reason is None,
        "reason": reason or "",
    }


def _table(entries: list[dict[str, Any]]) -> str:
    if not entries:
        return "no backend is installed; try: pip install 'backprop-harness[light]'"
    rows = [HEADINGS, *(_row(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    lines = [_aligned(HEADINGS, widths)]
    for entry, row in zip(entries, rows[1:], strict=True):
        lines += [_aligned(row, widths), *_details(entry, " " * (widths[0] + 2))]
    return "\n".join(lines)


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    origin = f"{entry['distribution']} {entry['version']}"
    return tuple(map(clean, (entry["name"], entry["parallel"], entry["algebra"], origin)))


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    *columns, last = row
    return "  ".join([*(text.ljust(width) for text, width in zip(columns, widths, strict=True)), last])


def _details(entry: dict[str, Any], indent: str) -> Iterator[str]:
    """Yield the lines that do not fit a column, wrapped and indented to the second column."""
    options = ", ".join(f"{name}={'|'.join(map(str, values))}" for name, values in entry["options"].items())
    sentences = (entry["summary"], f"options: {options}" if options else "", _lack(entry))
    width = prose_width()
    for sentence in filter(None, sentences):
        yield from textwrap.wrap(
            clean(sentence), width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
        )


def _lack(entry: dict[str, Any]) -> str:
    return "" if entry["available"] else f"not available: {entry['reason']}"
