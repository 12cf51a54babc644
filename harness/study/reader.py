"""``Reader``: reads a document, collects every problem with its place, and refuses the study with all of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from typing import Any

from harness.errors import RequestError, nearest
from harness.study.document import Document, Path
from harness.study.values import Read, items, table

SHOWN = 60
"""Characters of a wrong value that a message repeats, at most."""
TOLD = 50
"""Problems that are told, at most; the others are only counted, because each costs a search for its line."""


class Reader:
    """Each method returns what it could read and notes every problem; ``finish`` raises if there was any."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._problems: list[str] = []
        self._untold = 0

    def finish(self) -> None:
        """Raise all noted problems as one ``RequestError`` with a line for each; do nothing if there are none."""
        if self._problems:
            more = [f"{self.document.label}: and {self._untold} more problems"] if self._untold else []
            raise RequestError("\n".join([*sorted(dict.fromkeys(self._problems), key=_line), *more]))

    def problem(self, path: Path, value: Any, cause: object) -> None:
        """Note what is wrong with the value at a path."""
        if len(self._problems) >= TOLD:
            self._untold += 1
            return
        shown = repr(value) if len(repr(value)) <= SHOWN else f"{repr(value)[:SHOWN]}..."
        self._problems.append(f"{self.document.where(path, value)}: {_dotted(path)} = {shown}: {cause}")

    def missing(self, path: Path, cause: str) -> None:
        """Note that something is missing at a path."""
        self._problems.append(f"{self.document.where(path)}: {cause}")

    def one(self, read: Read, path: Path, value: Any) -> Any:
        """Return what ``read`` makes of a value; if it refuses the value, note that and return ``None``."""
        try:
            return read(value)
        except RequestError as error:
            self.problem(path, value, error)
            return None

    def axis(self, read: Read, path: Path, value: Any) -> tuple[Any, ...]:
        """Return the values of an axis, given as one value or a list; note and leave out wrong and repeated ones."""
        values = self.one(items, path, value) or []
        distinct: dict[Any, None] = {}
        for index, given in enumerate(values):
            where = (*path, index) if isinstance(value, list) else path
            got = self.one(read, where, given)
            if got is not None and got in distinct:
                self.problem(where, given, "stands here twice; remove one")
            elif got is not None:
                distinct[got] = None
        return tuple(distinct)

    def table(self, path: Path, value: Any, known: Collection[str]) -> Mapping[str, Any]:
        """Return the known keys of a table with their values; note each unknown key with the nearest known one."""
        given = self.one(table, path, value) or {}
        self.unknown_keys(path, given, known)
        return {key: content for key, content in given.items() if key in known}

    def unknown_keys(self, path: Path, given: Mapping[str, Any], known: Collection[str]) -> None:
        """Note every key that is not known, with the nearest known one."""
        for key in given:
            if key not in known:
                where = self.document.where((*path, key))
                self._problems.append(f"{where}: unknown key {_dotted((*path, key))!r}{nearest(key, known)}")


def _dotted(path: Path) -> str:
    """Return a path as a program writes it, counted from 0: ``backend[1].options.kernels``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _line(problem: str) -> int:
    """Return the line that a problem names, to sort by; a problem without one, as in an override, comes last."""
    place = re.match(r"[^\n]*?:(\d+): ", problem)
    return int(place[1]) if place else sys.maxsize
