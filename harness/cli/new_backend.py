"""``harness new-backend NAME`` writes a complete plugin that installs, is listed and passes ``harness check``."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from harness.conformance.scaffold import Scaffold, taken
from harness.errors import RequestError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("name", metavar="NAME", help="name of the backend: a-z, 0-9 and -, a letter first")
    parser.add_argument("--path", type=Path, metavar="DIR", help="folder to write; default: ./backprop-harness-NAME")


def run(args: argparse.Namespace) -> int:
    """Write the plugin, and print the next commands; return 0."""
    scaffold = Scaffold(args.name)
    owner = taken(scaffold)
    if owner:
        raise RequestError(f"the name {args.name!r} is taken: {owner}; choose another")
    folder: Path = args.path or Path(scaffold.distribution)
    scaffold.write(folder)
    print(f"{folder}: wrote {', '.join(scaffold.contents())}")
    print(f"now: pip install --editable {shlex.quote(f'{folder}[test]')}, then: harness check {scaffold.name}")
    return 0
