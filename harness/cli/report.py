"""``harness report`` writes an HTML page about the rows of a store, its figures as files, or plain text."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.cli.codes import OK
from harness.cli.output import deliver, stdout_color, stdout_width
from harness.contract.registry import backends
from harness.errors import InputOutputError, RequestError, nearest
from harness.report.content import Content, content
from harness.report.files import FORMATS, figures
from harness.report.page import rendered
from harness.report.text import text
from harness.session.running import STORE
from harness.store import Store, Stored

PAGE = Path("report.html")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--store", default=STORE, type=Path, help="the store to read (default: %(default)s)")
    parser.add_argument("--study", help="only the cells of this study")
    parser.add_argument("-o", "--output", type=Path, help=f"the page to write (default: {PAGE})")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="write every figure as a file of its own, too")
    parser.add_argument(
        "--format", default=("svg",), type=_formats, help="of the figures, such as svg,png,pdf (default: svg)"
    )
    parser.add_argument("--text", action="store_true", help="bars and tables for the terminal instead of a page")


def run(args: argparse.Namespace) -> int:
    """Write the report, and print its path; return 0."""
    target = args.output or (None if args.text else PAGE)
    _refuse(target, args.figures, args.store)
    title, rows = _read(args.store, args.study)
    told = content(rows, backends(), title=title)
    if args.text:
        _print(rows)
    if args.figures is not None:
        _draw(told, args.figures, args.format)
    if target is not None:
        deliver(rendered(told).encode(), target)
        print(target)
    return OK


def _print(rows: Sequence[Stored]) -> None:
    blocks = "utf" in (sys.stdout.encoding or "").lower()
    print(text(rows, backends(), width=stdout_width(), color=stdout_color(), blocks=blocks), end="")


def _draw(told: Content, folder: Path, formats: Sequence[str]) -> None:
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise RequestError(f"{folder}: {error.strerror}; name another folder with --figures") from error
    for count, (name, drawn) in enumerate(figures(told, formats), start=1):  # noqa: B007  the last count is told
        deliver(drawn, folder / name)
    print(f"{count} {'file' if count == 1 else 'files'} in {folder}")


def _formats(words: str) -> tuple[str, ...]:
    formats = tuple(dict.fromkeys(word.strip().lower() for word in words.split(",") if word.strip()))
    for word in formats:
        if word not in FORMATS:
            raise argparse.ArgumentTypeError(f"{word!r} is no format of a figure{nearest(word, FORMATS)}")
    if not formats:
        raise argparse.ArgumentTypeError(f"name at least one format of {', '.join(FORMATS)}")
    return formats


def _refuse(target: Path | None, folder: Path | None, store: Path) -> None:
    """Refuse targets that cannot be written, before anything is read."""
    if folder is not None and folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder}: this is no folder; name one with --figures")
    if target is None:
        return
    if target.exists() and store.exists() and target.samefile(store):
        raise RequestError(f"{target}: this is the store itself; name another file with -o")
    if target.is_dir():
        raise RequestError(f"{target}: this is a folder; name a file with -o")
    if target.parent.is_dir():
        _probe(target)


def _probe(target: Path) -> None:
    """Test whether a draft can be written beside the page, because the mode of a folder does not always tell."""
    try:
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        why = f"the folder {target.parent} cannot be written to ({error.strerror})"
        raise InputOutputError(f"{target}: {why}; name another file with -o") from error


def _read(path: Path, study: str | None) -> tuple[str, list[Stored]]:
    """Return a title and the rows that count."""
    with Store.read(path) as store:
        known = store.studies()
        if study is not None and study not in known:
            raise RequestError(f"{path}: it has no study {study!r}{nearest(study, known)}")
        rows = store.newest(study)
    if not rows:
        raise RequestError(
            f"{path}: no rows yet{f' of {study}' if study else ''}; measure some with `harness run STUDY`"
        )
    names = [study] if study is not None else known
    return f"backprop-harness report: {', '.join(names)}", rows
