"""``harness gate`` measures how far the verdicts of this machine can be trusted."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

from harness.cli.codes import OK, UNDECIDED
from harness.cli.waiting import waiting
from harness.errors import RequestError, clean
from harness.machine import cores as machine
from harness.machine.needs import require_processes
from harness.session.gate.calibration import SCHEMA_VERSION, Calibration
from harness.session.gate.copy import VARIABLE

STUDY, STORE = "gate", "results-gate.db"
FEWEST_ROUNDS, MOST = 5, 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--calibrate", action="store_true", help="measure anew; without it, show what is known")
    parser.add_argument("--study", default=STUDY, help="whose cells to run (default: %(default)s)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the study")
    parser.add_argument("--backend", default="blas", metavar="NAME[option=value]", help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="pairs a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=10, help="(default: %(default)s)")
    parser.add_argument("--percent", type=int, default=10, help="how much the copy is slowed (default: %(default)s)")
    parser.add_argument("--store", type=Path, default=Path(STORE), help="for the rows (default: %(default)s)")
    parser.add_argument("--strict", action="store_true", help="exit with 3 if the gate would not see a slower copy")
    parser.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Calibrate if asked to, and print how far this machine's gate can be trusted; return 0 or, if strict, 3."""
    calibration = _calibrated(args) if args.calibrate else Calibration.load(machine.identity())
    if args.json:
        told = {"schema_version": SCHEMA_VERSION, **asdict(calibration), "band": calibration.own_gate.band}
        print(json.dumps({**told, "finds": calibration.finds(calibration.own_gate)}, indent=1))
    else:
        print(clean(calibration))
        print(clean(calibration.describe(calibration.own_gate)))
    return UNDECIDED if args.strict and not _sees(calibration) else OK


def _sees(calibration: Calibration) -> bool:
    """Tell whether the gate finds a change as large as that of the slowed copy with which it was calibrated."""
    return calibration.smallest is not None and calibration.finds(calibration.own_gate) <= calibration.percent / 100


def _calibrated(args: argparse.Namespace) -> Calibration:
    if args.rounds < FEWEST_ROUNDS or args.runs < 1 or args.percent < 1:
        raise RequestError(f"gate: give at least {FEWEST_ROUNDS} rounds, 1 run and 1 percent")
    if max(args.rounds, args.runs, args.percent) > MOST:
        raise RequestError(f"gate: give at most {MOST} rounds, runs and percent")
    os.environ[VARIABLE] = "1"  # before anything loads the registry; the workers inherit it
    from harness.session.gate.calibrating import Calibrator, trios  # noqa: PLC0415  these three load the registry
    from harness.session.gate.measuring import runner  # noqa: PLC0415  as above
    from harness.store import Store  # noqa: PLC0415  as above
    from harness.study import read_study  # noqa: PLC0415  as above

    require_processes()
    study = read_study(args.study, args.set)
    cells = trios(args.backend, args.percent, study)
    command = shlex.join(["harness", *sys.argv[1:]])
    with Store.open(args.store) as store, runner(store, study, cells, "gate", command, waiting) as measure:
        outcome = Calibrator(measure, args.rounds, args.runs, _tell).run(cells)
    calibration = outcome.calibration(args.backend, study.name, args.percent)
    print(f"harness: kept in {calibration.save()}", file=sys.stderr)
    return calibration


def _tell(done: int, runs: int) -> None:
    print(f"harness: {done} of {runs} runs", file=sys.stderr)
