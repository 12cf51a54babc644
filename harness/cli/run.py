"""``harness run STUDY`` measures what the study asks for and the store lacks, then shows the table."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterable
from functools import partial

from harness.cli.codes import FELL_SHORT, INTERRUPTED, OK, WRONG_REQUEST
from harness.cli.output import stdout_color, stdout_width
from harness.cli.progress import progress
from harness.cli.waiting import waiting
from harness.contract.registry import backends
from harness.errors import RequestError, clean
from harness.plan.model import Plan
from harness.report.export import SCHEMA_VERSION, finite
from harness.report.table import table
from harness.runner.row import FINE
from harness.session.running import AGAIN, STORE, RunResult, earlier_times, measure, prepared, within
from harness.study import study_text
from harness.study.model import Study
from harness.study.units import seconds


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("study", help="a .toml file, or the name of a study that comes with the harness")
    parser.add_argument("--store", default=STORE, help="the SQLite file for the rows (default: %(default)s)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the study")
    parser.add_argument("--again", choices=AGAIN[1:], default="", help="measure again what fell short, or everything")
    parser.add_argument("--budget", metavar="TIME", help="as many rounds as fit, such as 90s, 10m or 1h30m")
    parser.add_argument("--label", default="", help="call this run something, for `harness compare LABEL LABEL`")
    parser.add_argument(
        "--share", action="store_true", help="do not wait for another run on this machine; mark the rows"
    )
    parser.add_argument("--json", action="store_true", help="print the rows instead of the table")
    parser.add_argument("--quiet", action="store_true", help="no progress display and no notes")


def run(args: argparse.Namespace) -> int:
    """Run the study; return 0, or 1 if a cell fell short, 2 if the run was refused, 130 if it was interrupted."""
    if not args.label.isprintable():
        raise RequestError(f"--label {args.label!r}: give text on one line")
    study, plan = prepared(args.study, args.set)
    if args.budget is not None:
        plan = within(plan, seconds(args.budget), earlier_times(args.store))
    if not args.quiet:
        _tell(f"note: {note}" for note in plan.notes)
    try:
        with progress(quiet=args.quiet) as on_event:
            outcome = measure(
                plan,
                args.store,
                again=args.again,
                command=shlex.join(["harness", *sys.argv[1:]]),
                study_text=study_text(args.study),
                label=args.label,
                on_event=on_event,
                share=args.share,
                on_wait=partial(waiting, advice="--share goes on beside it"),
            )
    except KeyboardInterrupt:
        _tell([f"interrupted; all rows that were finished are in {args.store}, and the same command goes on"])
        return INTERRUPTED
    _show(outcome, plan, args)
    return _verdict(study, outcome)


def _show(outcome: RunResult, plan: Plan, args: argparse.Namespace) -> None:
    if args.json:
        rows = [finite(row.exported()) for row in outcome.rows]
        print(json.dumps({"schema_version": SCHEMA_VERSION, "rows": rows}, indent=1, allow_nan=False))
        return
    print(clean(plan.title or plan.study), end="\n\n")
    print(table(outcome.stored, backends(), width=stdout_width(), color=stdout_color()))
    print(clean(f"{outcome.added} of {len(outcome.rows)} rows are new; all are in {args.store}"))


def _verdict(study: Study, outcome: RunResult) -> int:
    """Return the exit code. A backend that an override names and that cannot run here makes it a refused request."""
    if outcome.left:
        _tell([f"interrupted with {outcome.left} cells and rounds left; the same command goes on"])
        return INTERRUPTED
    for name in sorted(study.asked):
        states = {row.state: row.reason for row in outcome.rows if row.cell.backend == name}
        if states and states.keys() <= {"unsupported", "unavailable"}:
            _tell([f"{name} was asked for by name: {next(iter(states.values()))}"])
            return WRONG_REQUEST
    return OK if all(row.state in FINE for row in outcome.rows) else FELL_SHORT


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(f"harness: {clean(line)}", file=sys.stderr)
