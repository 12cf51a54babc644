"""``harness check``: prove that a backend keeps the contract and computes what the reference computes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.conformance.configuration import LEVELS
from harness.conformance.running import Request, examine
from harness.contract import registry
from harness.contract.environment import Option
from harness.errors import RequestError

FINE, FELL_SHORT = 0, 1
LONGEST = 86400.0
"""Seconds that one check may be given: a day."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what ``check`` takes."""
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
    """Check, print the verdict, and return 0 where the backend conforms and 1 where it does not."""
    if not 0 < args.seconds <= LONGEST or any(count < 1 for count in args.workers):
        raise RequestError(
            f"--seconds {args.seconds:g}, --workers {args.workers}: give numbers above 0, at most {LONGEST:g} seconds"
        )
    if args.junit and not Path(args.junit).absolute().parent.is_dir():  # said before the checks, not after
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
        from harness.conformance.junit import write  # noqa: PLC0415  only where it is asked for

        write(verdict, args.junit)
    print(json.dumps(verdict.to_json(), indent=2) if args.json else verdict)
    return FINE if verdict else FELL_SHORT


def _options(backend: str, words: Mapping[str, str]) -> Mapping[str, Option]:
    """Return the named options in their type; those of a class without a plugin are typed when it is imported."""
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
    """Yield what shows the check that runs now: one line on a terminal, which goes away again; else nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  a pipe does not pay for it
    from rich.markup import escape  # noqa: PLC0415  as above

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(escape(text))
