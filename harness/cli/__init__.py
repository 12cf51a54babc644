"""The command line: it ties the stations together and holds no logic of its own.

Each command is a module with ``configure(parser)`` and ``run(args) -> int``, imported only when it is called, so that
``harness --help`` stays instant whatever is installed.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from harness import __version__
from harness.cli import streams
from harness.errors import HarnessError, RequestError, Unavailable, Unsupported, nearest

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

OK, FELL_SHORT, WRONG_REQUEST = 0, 1, 2
FULL = (errno.ENOSPC, errno.EDQUOT)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return 0 (all well), 1 (it ran and something fell short) or 2 (the request was wrong)."""
    words = list(sys.argv[1:] if words is None else words)
    streams.ensure()
    try:
        _stand_somewhere()
        code = _run(words)
        sys.stdout.flush()
    except (RequestError, Unsupported, Unavailable) as error:
        return _told(error, WRONG_REQUEST)
    except HarnessError as error:
        return _told(error, FELL_SHORT)
    except KeyboardInterrupt:
        return _told("interrupted", FELL_SHORT)
    except BrokenPipeError:  # whoever read our output wanted no more of it, as `head` does
        streams.forget()
        return FELL_SHORT
    except OSError as error:
        if error.errno not in FULL:
            raise
        streams.forget()
        return _told(f"{error.strerror}: make room where the output or the files go, then repeat", FELL_SHORT)
    return code


def _stand_somewhere() -> None:
    """Refuse a current folder that is gone: relative paths would lead nowhere."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise RequestError("the current folder has been removed; change to one that is there") from None


def _told(what: object, code: int) -> int:
    """Print each line of an error, with nothing in it that steers a terminal, and return the exit code."""
    from harness.text import clean  # noqa: PLC0415  only an error pays for this import

    for line in str(what).splitlines():
        print(f"harness: {clean(line)}", file=sys.stderr)
    return code


def _run(words: list[str]) -> int:
    parser = _Parser(prog="harness", description="Benchmark backends that train multilayer perceptrons.")
    parser.add_argument("--version", action="version", version=f"backprop-harness {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    command = next((word for word in words if not word.startswith("-")), None)
    if command is not None and command not in COMMANDS:
        raise RequestError(f"unknown command {command!r}{nearest(command, COMMANDS)}")
    for name, sentence in COMMANDS.items():
        child = commands.add_parser(name, help=sentence, description=sentence)
        if name == command:
            _module(name).configure(child)
    args = parser.parse_args(words)
    return int(_module(args.command).run(args))


def _module(command: str) -> _Command:
    return cast("_Command", importlib.import_module(f"harness.cli.{command.replace('-', '_')}"))


class _Command(Protocol):
    """What a command's module offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


class _Parser(argparse.ArgumentParser):
    """argparse with our form of a wrong request: one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise RequestError(f"{message} (see {self.prog} --help)")
