"""``harness check`` proves that a backend keeps the contract and computes what the reference computes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.cli.codes import FELL_SHORT, OK
from harness.conformance.configuration import LEVELS
from harness.conformance.running import Request, examine
from harness.contract import registry
from harness.contract.environment import Option
from harness.errors import RequestError

LONGEST = 86400.0
"""The most seconds for one check: a day."""
MOST_WORKERS = 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("backend", metavar="BACKEND", help="a backend's name, or module:Class without installing")
    parser.add_argument("--options", nargs="+", metavar="NAME=VALUE", help="only this setting (each value alone)")
    parser.add_argument("--workers", nargs="+", type=int, default=[], metavar="N", help="only these (1 2 3)")
    parser.add_argument("--level", choices=LEVELS, default="full", help="quick: pairs of values; full: all")
    parser.add_argument("-k", dest="word", default="", metavar="WORD", help="only checks with this in their name")
    parser.add_argument("--known-failure", action="append", default=[], metavar="CHECK=REASON", help="may be repeated")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="time for one check (60)")
    parser.add_argument("--json", action="store_true", help="print every result as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write every result as JUnit XML")


def run(args: argparse.Namespace) -> int:
    """Check, print the verdict, and return 0 if the backend conforms, else 1."""
    if not 0 < args.seconds <= LONGEST or not all(0 < count <= MOST_WORKERS for count in args.workers):
        raise RequestError(
            f"--seconds {args.seconds:g}, --workers {args.workers}: give numbers above 0, "
            f"at most {LONGEST:g} seconds and {MOST_WORKERS} workers"
        )
    if args.junit and not Path(args.junit).absolute().parent.is_dir():  # refuse it before the checks, not after
        raise RequestError(f"--junit {args.junit}: there is no folder {Path(args.junit).parent}; make it")
    request = Request(
        options=None if args.options is None else _options(args.backend, _named(args.options, "--options")),
        workers=tuple(args.workers),
        level=args.level,
        word=args.word,
        known=_named(args.known_failure, "--known-failure"),
        seconds=args.seconds,
    )
    with _progress() as progress:
        verdict = examine(args.backend, request, progress)
    if args.junit:
        from harness.conformance.verdict import write_junit  # noqa: PLC0415  only where it is asked for

        write_junit(verdict, args.junit)
    print(json.dumps(verdict.to_json(), indent=2) if args.json else verdict)
    return OK if verdict else FELL_SHORT


def _options(backend: str, words: Mapping[str, str]) -> Mapping[str, Option]:
    """Return the options as values of their types. A class without a plugin converts them when it is imported."""
    if ":" in backend:
        return words
    parsed = registry.spec(backend).parse(words)
    return {name: parsed[name] for name in words}


def _named(words: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise RequestError(f"{option} {word!r}: write NAME=VALUE")
        pairs[name] = value
    return pairs


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the name of the running check on a terminal, and does nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  a pipe does not pay for it
    from rich.markup import escape  # noqa: PLC0415  as above

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(escape(text))
