"""The command line: it ties the stations together and holds no logic of its own.

Each command is a module with ``configure(parser)`` and ``run(args) -> int``, imported only when it is called, so that
``harness --help`` stays instant whatever is installed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from harness._version import __version__
from harness.cli import streams
from harness.cli.door import leave
from harness.errors import RequestError, nearest

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

COMMANDS = {
    "studies": "list the studies that come with the harness, and what each comes to here",
    "plan": "show the cells of a study, how long they take, and which cannot run here and why",
    "datasets": "list the datasets, their licences, and whether their files are here",
    "fetch": "get the files of a dataset, verified, so that a run needs no network",
    "backends": "list the installed backends: what each does, and why one is not available",
    "check": "prove that a backend keeps the contract and computes what the reference computes",
    "new-backend": "write a new backend plugin that installs, is listed and passes check, to start from",
    "export": "write the rows of a store as csv, json or parquet",
    "merge": "put the rows of several stores into one",
    "compare": "say what became faster or slower between two stores, backends, labels or commits, and how sure it is",
    "gate": "measure on this machine itself how far its verdicts can be trusted, for `compare --gate`",
    "doctor": "look at this machine: what it can do, what holds it back, what to do about it",
    "report": "write one HTML page, figures or text: who wins, by how much, how sure that is, and what went wrong",
    "run": "measure what a study asks for and the store lacks, then show the table",
}
"""Every command with its sentence for ``--help``; ``new-backend`` lives in ``harness/cli/new_backend.py``."""

NEED_HOME = frozenset({"check", "fetch", "gate", "run"})
"""The commands that keep files in the user's folders."""
HOMES = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, one of those in ``harness/cli/codes.py``."""
    streams.ensure()
    return leave(lambda: _run(list(sys.argv[1:] if words is None else words)))


def _stand_somewhere() -> None:
    """Refuse a current folder that has been removed, because relative paths would lead nowhere."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise RequestError("the current folder has been removed; change to one that is there") from None


def _require_home(command: str) -> None:
    """Refuse a command that keeps files in the user's folders if there is no home folder to find them in."""
    if all(Path(os.environ.get(name, "")).is_absolute() for name in HOMES):
        return
    try:
        Path.home()
    except RuntimeError:
        raise RequestError(
            f"{command}: this user has no home folder; set HOME to a folder that can be written to"
        ) from None


def _run(words: list[str]) -> int:
    _stand_somewhere()
    command = next((word for word in words if not word.startswith("-")), None)
    if not words or command == "help":  # `harness help run` is `harness run --help`
        words = [*(word for word in words if word != "help"), "--help"]
        command = words[0] if len(words) > 1 else None
    if command is not None and command not in COMMANDS:
        raise RequestError(f"unknown command {command!r}{nearest(command, COMMANDS)}")
    try:
        args = _parser(command).parse_args(words)
    except SystemExit as ended:  # argparse has shown the help or the version
        return int(ended.code or 0)
    if args.command in NEED_HOME:
        _require_home(args.command)
    return int(_module(args.command).run(args))


def _parser(command: str | None) -> argparse.ArgumentParser:
    """Return the parser of all commands, of which only ``command`` knows its arguments."""
    parser = _Parser(
        prog="harness", description="Benchmark backends that train multilayer perceptrons.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"backprop-harness {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, sentence in COMMANDS.items():
        child = commands.add_parser(name, help=sentence, description=sentence, allow_abbrev=False)
        if name == command:
            _module(name).configure(child)
    return parser


def _module(command: str) -> _Command:
    return cast("_Command", importlib.import_module(f"harness.cli.{command.replace('-', '_')}"))


class _Command(Protocol):
    """What a command's module offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


class _Parser(argparse.ArgumentParser):
    """argparse, but a wrong request is one line and a failed write is an error."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise RequestError(f"{message} (see {self.prog} --help)")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print help without argparse's own rule that a full disk is no error."""
        if message:
            (file or sys.stderr).write(message)
