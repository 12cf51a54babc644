"""``harness export``: the rows of a store for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.api import STORE
from harness.cli.output import deliver
from harness.errors import RequestError, nearest
from harness.report.export import FORMATS, records
from harness.store import Store


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--store", default=STORE, type=Path, help="the store to read (default: %(default)s)")
    parser.add_argument("--study", help="only the cells of this study")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="(default: %(default)s)")
    parser.add_argument("--attempts", action="store_true", help="also rows that a later attempt has replaced")
    parser.add_argument("-o", "--output", type=Path, help="the file to write (default: standard output)")


def run(args: argparse.Namespace) -> int:
    """Write every row that counts, one record a cell and round; return 0."""
    if args.output is None and args.format == "parquet" and sys.stdout.isatty():
        raise RequestError("export --format parquet: a terminal cannot show it; name a file with -o")
    if args.output is not None and args.output.exists() and args.store.exists() and args.output.samefile(args.store):
        raise RequestError(f"{args.output}: this is the store itself; name another file with -o")
    with Store.read(args.store) as store:
        known = store.studies()
        if args.study is not None and args.study not in known:
            raise RequestError(f"{args.store}: it has no study {args.study!r}{nearest(args.study, known)}")
        found = records(store.stored(args.study, every=args.attempts))
    deliver(FORMATS[args.format](found), args.output)
    return 0
