"""``Reader``: goes through a document, keeps every problem with its place, and refuses the study with all of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from typing import Any

from harness.errors import RequestError, nearest
from harness.study.document import Document
from harness.study.positions import Path
from harness.study.values import Read, items, table

SHOWN = 60
"""Characters of a wrong value that a message repeats."""


class Reader:
    """Every method returns what could be read and notes what could not; ``finish`` raises if anything was noted."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._problems: list[str] = []

    def finish(self) -> None:
        """Raise all problems as one ``RequestError``, a line each."""
        if self._problems:
            raise RequestError("\n".join(sorted(dict.fromkeys(self._problems), key=_line)))

    def problem(self, path: Path, value: Any, cause: object) -> None:
        """Note what is wrong with the value at a path."""
        shown = repr(value) if len(repr(value)) <= SHOWN else f"{repr(value)[:SHOWN]}..."
        self._problems.append(f"{self.document.where(path, value)}: {_dotted(path)} = {shown}: {cause}")

    def missing(self, path: Path, cause: str) -> None:
        """Note that something is not there at all."""
        self._problems.append(f"{self.document.where(path)}: {cause}")

    def one(self, read: Read, path: Path, value: Any) -> Any:
        """Return one value, or ``None`` after a note."""
        try:
            return read(value)
        except RequestError as error:
            self.problem(path, value, error)
            return None

    def axis(self, read: Read, path: Path, value: Any) -> tuple[Any, ...]:
        """Return the values of an axis, one or a list; what is wrong or twice there is noted and left out."""
        values = self.one(items, path, value) or []
        found: list[Any] = []
        for index, item in enumerate(values):
            where = (*path, index) if isinstance(value, list) else path
            got = self.one(read, where, item)
            if got is not None and got in found:
                self.problem(where, item, "stands here twice")
            elif got is not None:
                found.append(got)
        return tuple(found)

    def table(self, path: Path, value: Any, known: Collection[str]) -> Mapping[str, Any]:
        """Return the known keys of a table; each unknown one is noted with the nearest known."""
        found = self.one(table, path, value) or {}
        self.unknown_keys(path, found, known)
        return {key: item for key, item in found.items() if key in known}

    def unknown_keys(self, path: Path, found: Mapping[str, Any], known: Collection[str]) -> None:
        """Note every key that nothing reads."""
        for key in found:
            if key not in known:
                where = self.document.where((*path, key))
                self._problems.append(f"{where}: unknown key {_dotted((*path, key))!r}{nearest(key, known)}")


def _dotted(path: Path) -> str:
    """``backend[1].options.kernels``: as a program would write it, counted from 0."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _line(problem: str) -> int:
    """The line that a problem starts with, so that they come in the order of the file; overrides come last."""
    found = re.match(r"[^\n]*?:(\d+): ", problem)
    return int(found[1]) if found else sys.maxsize
