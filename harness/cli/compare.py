"""``harness compare A B`` says what became faster or slower, how sure that is, and what would decide the rest."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from harness.cli.codes import FELL_SHORT, INTERRUPTED, OK, UNDECIDED
from harness.cli.sides import sides
from harness.cli.waiting import waiting
from harness.errors import RequestError, clean
from harness.report.compare import Result, Thresholds, compare
from harness.report.compare.crossover import Models, as_objects, lines, models
from harness.report.compare.display import as_markdown, as_object, as_text
from harness.report.export import finite
from harness.session.running import STORE
from harness.study import read_study
from harness.study.units import seconds

STUDY = "quick"
"""The study that ``--until-decided`` samples if none is named."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "a", metavar="A", help="a store; or, in a store, a backend, NAME[option=value], label or commit"
    )
    parser.add_argument("b", metavar="B", help="what to compare with A, of the same kind")
    parser.add_argument("--store", type=Path, help=f"the store that A and B are names in (default: {STORE})")
    parser.add_argument(
        "--study", help="only the cells of this study; with --until-decided, the study to sample (quick)"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of that study")
    parser.add_argument(
        "--until-decided", action="store_true", help="measure two backends in pairs until it is decided"
    )
    parser.add_argument("--budget", default="10m", metavar="TIME", help="for --until-decided (default: %(default)s)")
    parser.add_argument("--band", default="5%", help="changes within it are no changes (default: %(default)s)")
    parser.add_argument(
        "--threshold", action="append", default=[], metavar="GROUP:BAND", help="as in backend=python,batch=1:20%%"
    )
    parser.add_argument("--across-machines", action="store_true", help="compare times of different machines")
    parser.add_argument("--strict", action="store_true", help="exit with 3 if a cell is undecided and none is slower")
    parser.add_argument("--gate", action="store_true", help="judge by this machine's calibration (see: harness gate)")
    parser.add_argument("--model", action="store_true", help="also fit what a step, an example and a FLOP cost each")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--markdown", action="store_true", help="print Markdown, for a pull request")
    shape.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Print the comparison; return 1 if a cell became slower or broke, 3 with ``--strict`` if one is undecided."""
    thresholds = Thresholds.parse(args.band, args.threshold)
    if args.until_decided:
        return _sampled(args, thresholds)
    a, b = sides(args)
    judge = _gate() if args.gate else compare
    result = judge(a, b, thresholds, across_machines=args.across_machines)
    _show(result, args)
    return _code(result, args)


def _gate() -> Callable[..., Result]:
    from harness.session.gate.thresholds import gated  # noqa: PLC0415  only the gate needs the user's folders

    return gated


def _code(result: Result, args: argparse.Namespace) -> int:
    if result.regression:
        return FELL_SHORT
    return UNDECIDED if args.strict and result.undecided else OK


def _sampled(args: argparse.Namespace, thresholds: Thresholds) -> int:
    from harness.session.gate.measuring import until_decided  # noqa: PLC0415  comparing rows that are there needs no runner

    def tell(rounds: int, decided: int, cells: int) -> None:
        print(f"harness: after {rounds} rounds {decided} of {cells} cells are decided", file=sys.stderr)

    result, interrupted = until_decided(
        (args.a, args.b),
        read_study(args.study or STUDY, args.set),
        args.store or STORE,
        thresholds=thresholds,
        budget=seconds(args.budget),
        command=shlex.join(["harness", *sys.argv[1:]]),
        on_look=tell,
        on_wait=waiting,
    )
    _show(result, args)
    return INTERRUPTED if interrupted else _code(result, args)


def _show(result: Result, args: argparse.Namespace) -> None:
    fitted = _models(result) if args.model else None
    if args.json:
        extra = {} if fitted is None else {"models": as_objects(fitted)}
        print(json.dumps(finite({**as_object(result), **extra}), indent=1, allow_nan=False))
        return
    print(as_markdown(result) if args.markdown else as_text(result), end="")
    if fitted is not None:
        told = [_indented(line) for line in lines(fitted, (result.a.word, result.b.word))]
        fence = ["```"] if args.markdown else []
        print("\n".join(["", *fence, *told, *fence]))


def _indented(line: str) -> str:
    return f"{'  ' if line.startswith(' ') else ''}{clean(line)}"


def _models(result: Result) -> list[Models]:
    if result.a.kind != "backend":
        raise RequestError("--model: compare two backends")
    return models(result.a.rows, result.b.rows)
