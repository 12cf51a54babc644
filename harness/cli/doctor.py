"""``harness doctor`` examines whether this machine is fit to measure on, and changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from harness.cli.output import prose_width
from harness.errors import clean
from harness.machine.doctor.examination import examinations, examine
from harness.machine.doctor.finding import Finding
from harness.machine.needs import require_processes

SCHEMA_VERSION = 1
MARKS = {"fact": " ", "note": "·", "warning": "!"}
COLUMN = 11


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--json", action="store_true", help="print one object with every finding and its figures")
    parser.add_argument("--quick", action="store_true", help="leave out what measures matrix products and memory")
    parser.add_argument("--store", type=Path, default=Path("results.db"), help="where rows would go (results.db)")


def run(args: argparse.Namespace) -> int:
    """Print each finding when it is known; return 0, also if there are warnings. It needs a system that runs cells."""
    require_processes()
    findings = []
    for finding in examine(examinations(args.store, quick=args.quick)):
        findings.append(finding)
        if not args.json:
            print("\n".join(_lines(finding)), flush=True)
    if args.json:
        json.dump(
            {"schema_version": SCHEMA_VERSION, "findings": [finding.to_json() for finding in findings]},
            sys.stdout,
            indent=2,
        )
        print()
        return 0
    print(f"\n{_summary(findings)}")
    return 0


def _lines(finding: Finding) -> Iterator[str]:
    head = f"{MARKS[finding.level]} {finding.topic.ljust(COLUMN)}"
    width = prose_width()
    indent = " " * len(head)
    yield from _wrapped(clean(finding.sentence), width, head, indent)
    if finding.advice:
        yield from _wrapped(f"→ {clean(finding.advice)}", width, indent, indent + "  ")


def _wrapped(sentence: str, width: int, head: str, indent: str) -> list[str]:
    return textwrap.wrap(sentence, width, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)


def _summary(findings: list[Finding]) -> str:
    count = sum(finding.level == "warning" for finding in findings)
    if count == 0:
        return "Nothing here stands in the way of a good measurement."
    return f"{count} {'thing' if count == 1 else 'things'} to see to, marked with !"
