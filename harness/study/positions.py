"""On which line of a TOML text a key stands. tomllib tells what a file says, but not where; messages need both.

A scanner of lines, not a second parser: the text has been parsed already, so it is known to be sound.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_TRIPLE = re.compile(r'"""|' + "'''")


class Positions:
    """The lines of one text, by path: ``("backend", 1, "options", "kernels")``."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._found: dict[Path, int] = {}
        self._scan()

    def line(self, path: Path, value: object = None) -> int | None:
        """Return the line (from 1) of a path, or of the nearest thing around it that has one."""
        for length in range(len(path), 0, -1):
            start = self._found.get(path[:length])
            if start is not None:
                return self._inside(start, path[length:], value)
        return None

    def _inside(self, start: int, rest: Path, value: object) -> int:
        """Look on the lines of a value, which may span several, for what the rest of the path or the value names."""
        later = [line for line in self._found.values() if line > start]
        end = min(later, default=len(self._lines) + 1)
        keys = [rf"""["']?{re.escape(part)}["']?\s*=""" for part in rest if isinstance(part, str)]
        words = [re.escape(str(value))] if isinstance(value, str | int | float) else []
        for pattern in (*reversed(keys), *words):
            for number in range(start, end):
                if re.search(pattern, self._lines[number - 1]):
                    return number
        return start

    def _scan(self) -> None:
        prefix: Path = ()
        counts: dict[Path, int] = {}
        depth, quoted = 0, ""
        for number, line in enumerate(self._lines, start=1):
            if not depth and not quoted:
                header, assignment = _HEADER.match(line), _ASSIGNMENT.match(line)
                if header:
                    prefix = _table(header, counts)
                    self._found[prefix] = number
                    self._found.setdefault(prefix[:-1] or prefix, number)
                    continue
                if assignment:
                    self._found[prefix + _parts(assignment[1])] = number
                    line = line[assignment.end() :]  # noqa: PLW2901  brackets count in the value alone
            depth, quoted = _nesting(line, depth, quoted)


def _table(header: re.Match[str], counts: dict[Path, int]) -> Path:
    """Return the path of a header; inside an array of tables its latest element is meant."""
    path: Path = ()
    parts = _parts(header[2])
    for index, part in enumerate(parts):
        path = (*path, part)
        if header[1] == "[[" and index == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))


def _nesting(line: str, depth: int, quoted: str) -> tuple[int, str]:
    """Return how many brackets are open after a line, and the triple quote that is, if any."""
    for mark in _TRIPLE.findall(line):
        if not quoted:
            quoted = mark
        elif quoted == mark:
            quoted = ""
    if quoted or _TRIPLE.search(line):
        return depth, quoted
    bare = re.sub(r""""(?:\\.|[^"\\])*"|'[^']*'|#.*""", "", line)
    opened = sum(bare.count(mark) for mark in "[{")
    return max(0, depth + opened - sum(bare.count(mark) for mark in "]}")), quoted
