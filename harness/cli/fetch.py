"""``harness fetch DATASET`` downloads the files of a dataset that are missing, and verifies all of them."""

from __future__ import annotations

import argparse

from harness.contract.options import parse
from harness.contract.registry import dataset
from harness.datasets import fetch, remote_files
from harness.errors import RequestError, clean


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("dataset", nargs="+", help="names of datasets (see: harness datasets)")
    parser.add_argument("--options", action="append", default=[], metavar="NAME=VALUE", help="as in subset=full")


def run(args: argparse.Namespace) -> int:
    """Download the missing files, verify all files, print their paths; return 0."""
    words = dict(_pair(word) for word in args.options)
    wanted = [(name, parse(f"dataset {name!r}", dataset(name).options, words)) for name in args.dataset]
    for name, options in wanted:
        paths = fetch(name, options)
        for file, path in zip(remote_files(name, options), paths, strict=True):
            file.verify(path)
            print(clean(path))
        if not paths:
            print(f"{name} needs no files")
    return 0


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (name and equals):
        raise RequestError(f"--options {word!r}: write name=value, as in --options subset=full")
    return name, value
