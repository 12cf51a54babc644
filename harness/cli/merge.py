"""``harness merge A B -o OUT`` puts the rows of several stores into one store."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.errors import clean
from harness.store.merge import merge


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("stores", nargs="+", type=Path, metavar="STORE", help="a store to take rows from")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="the store to put them in; what it has already stays"
    )


def run(args: argparse.Namespace) -> int:
    """Merge, and print how many rows were added and how many there are; return 0."""
    added, total = merge(args.stores, args.output)
    print(clean(f"{args.output}: {added} rows added, {total} in all"))
    return 0
