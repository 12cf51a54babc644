"""Find out what A and B of ``harness compare`` are: two stores, or two names in one store."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.errors import RequestError, nearest
from harness.report.compare import Side
from harness.report.compare.sides import resolve
from harness.session.running import STORE
from harness.store import Store, Stored


def sides(args: argparse.Namespace) -> tuple[Side, Side]:
    """Return both sides. Two files are two stores, unless ``--store`` is given; other words are names in one store."""
    paths = [Path(word.removeprefix("store:")) for word in (args.a, args.b)]
    files = [path.is_file() or word.startswith("store:") for path, word in zip(paths, (args.a, args.b), strict=True)]
    if args.store is None and all(files):
        first, second = (
            Side("store", word, _newest(path, args.study)) for path, word in zip(paths, (args.a, args.b), strict=True)
        )
        return first, second
    if args.store is None and any(files):
        there, missing = (args.a, args.b) if files[0] else (args.b, args.a)
        raise RequestError(f"{there} is a file and {missing!r} is none: give two stores, or two names with --store")
    path = args.store or Path(STORE)
    if args.store is None and not path.exists():
        raise RequestError(
            f"{args.a!r} and {args.b!r} are no stores, and there is no {STORE} in which they could be backends, labels "
            "or commits; name one with --store"
        )
    with Store.read(path) as store:
        _check_study(store, path, args.study)
        newest, counting = store.newest(args.study), store.stored(args.study)
    first, second = (resolve(word, newest, counting) for word in (args.a, args.b))
    return first, second


def _newest(path: Path, study: str | None) -> tuple[Stored, ...]:
    with Store.read(path) as store:
        _check_study(store, path, study)
        return tuple(store.newest(study))


def _check_study(store: Store, path: Path, study: str | None) -> None:
    known = store.studies()
    if study is not None and study not in known:
        raise RequestError(f"{path}: it has no study {study!r}{nearest(study, known)}")
