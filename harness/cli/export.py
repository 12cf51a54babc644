"""``harness export`` writes the rows of a store for other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cli.output import deliver
from harness.errors import RequestError, input_output_error, nearest
from harness.report.export import FORMATS, records
from harness.session.running import STORE
from harness.store import Store, Stored

ASV = "asv"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--store", default=STORE, type=Path, help="the store to read (default: %(default)s)")
    parser.add_argument("--study", help="only the cells of this study")
    parser.add_argument("--format", choices=[*FORMATS, ASV], default="csv", help="(default: %(default)s)")
    parser.add_argument("--attempts", action="store_true", help="also rows that a later attempt has replaced")
    parser.add_argument(
        "-o", "--output", type=Path, help="the file to write (default: standard output); for asv its folder of results"
    )


def run(args: argparse.Namespace) -> int:
    """Write every row that counts, one record for each cell and round; return 0."""
    if args.output is None and args.format == "parquet" and sys.stdout.isatty():
        raise RequestError("export --format parquet: a terminal cannot show it; name a file with -o")
    if args.format == ASV and (args.output is None or args.output.is_file()):
        raise RequestError("export --format asv: it writes a folder of files; name it with -o, such as -o .asv/results")
    if args.output is not None and args.output.exists() and args.store.exists() and args.output.samefile(args.store):
        raise RequestError(f"{args.output}: this is the store itself; name another file with -o")
    with Store.read(args.store) as store:
        known = store.studies()
        if args.study is not None and args.study not in known:
            raise RequestError(f"{args.store}: it has no study {args.study!r}{nearest(args.study, known)}")
        stored = store.stored(args.study, every=args.attempts)
    if args.format == ASV:
        _to_asv(stored, args.output)
    else:
        deliver(FORMATS[args.format](records(stored)), args.output)
    return 0


def _to_asv(stored: Sequence[Stored], folder: Path) -> None:
    """Write asv's files, and say which rows belong to no commit."""
    from harness.report.asv import write  # noqa: PLC0415  asv is optional, and the other formats need none of this

    try:
        written = write(stored, folder)
    except OSError as error:
        raise input_output_error(error, folder) from error
    if written.nowhere:
        print(f"{written.nowhere} rows left out: no commit as it stands has measured them", file=sys.stderr)
    for commit in written.unknown:
        print(
            f"commit {commit} left out: the checkout here does not have it; run this in one that has", file=sys.stderr
        )
    print(f"{written.rows} rows in {written.files} files of {folder}")
