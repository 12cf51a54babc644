"""``Document``: the tables of a study file with ``--set`` applied, and the line of each part."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path as File
from typing import Any, TypeAlias

from harness.errors import RequestError, clean

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a value: ``("backend", 1, "options", "kernels")``."""

LARGEST = 2**20
"""Bytes of a study file, at most: nobody writes a longer one by hand."""
DEFAULT_DATASET = "digits"
"""The dataset of a study that names none."""
PER_BACKEND = ("workers", "options", "python", "hosts")
"""Keys of ``[[backend]]`` that ``--set`` takes also without the prefix ``backend.``."""


class Document:
    """The tables of one study file. Text that is not TOML is a ``RequestError``."""

    def __init__(self, text: str, label: str, folder: File) -> None:
        self.label = clean(label)
        self.folder = folder
        """The folder where relative paths of interpreters start."""
        self.text = text
        self.overrides: tuple[str, ...] = ()
        self.asked: frozenset[str] = frozenset()
        """Backends that an override has named."""
        self._positions = Positions(text)
        self._overrides: dict[Path, str] = {}
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            raise RequestError(f"{label}: {error or 'nested too deeply'}") from None

        self.written = _names(self.data.get("backend"))
        """Names of all backends in the file, even if an override leaves them out: the rules may name them."""

    def where(self, path: Path, value: object = None) -> str:
        """Return where a value comes from: ``file:line``, or the override that set it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._overrides:
                return f"--set {self._overrides[path[:length]]}"
        inside = [word for key, word in self._overrides.items() if key[: len(path)] == path]
        if inside:
            return f"--set {inside[-1]}"
        line = self._positions.line(path, value)
        return f"{self.label}:{line}" if line else self.label

    def override(self, words: Sequence[str]) -> None:
        """Apply ``key=value`` words in order. What they set is checked later, like the rest of the study."""
        for word in words:
            key, equals, text = word.partition("=")
            parts = [part.strip() for part in key.split(".")]
            if not equals or not all(parts):
                raise RequestError(f"--set {word!r}: write key=value, as in --set batch=64")
            if parts[0] in PER_BACKEND:
                parts.insert(0, "backend")
            self._apply(parts, _value(clean(word), text.strip()), clean(word))
            self.overrides += (word,)

    def _apply(self, parts: list[str], value: Any, word: str) -> None:
        if parts == ["backend"]:
            self._choose(value, word)
        elif parts[0] == "backend":
            self._set_backends(parts[1:], value, word)
        else:
            if parts[0] == "dataset" and isinstance(self.data.setdefault("dataset", DEFAULT_DATASET), str):
                self.data["dataset"] = {"name": self.data["dataset"]}
            self._put(self.data, (), parts, value, word)

    def _choose(self, names: Any, word: str) -> None:
        """Keep the entries of the named backends; add one with defaults for each that the study does not have."""
        wanted = [names] if isinstance(names, str) else names
        if not isinstance(wanted, list) or not wanted or not all(isinstance(name, str) for name in wanted):
            raise RequestError(f"--set {word}: name one backend or a list of them")
        entries: list[Any] = []
        for name in wanted:
            existing = [entry for entry in self._entries(word) if entry.get("name") == name]
            entries += existing or [{"name": name}]
        self.data["backend"] = entries
        self.asked |= frozenset(wanted)
        self._overrides[("backend",)] = word

    def _set_backends(self, parts: list[str], value: Any, word: str) -> None:
        entries = self._entries(word)
        named = [index for index, entry in enumerate(entries) if entry.get("name") == parts[0]]
        chosen, rest = (named, parts[1:]) if named else (range(len(entries)), parts)
        if not rest:
            raise RequestError(f"--set {word}: name a key of the backend, as in backend.{parts[0]}.workers=2")
        for index in chosen:
            self._put(entries[index], ("backend", index), rest, value, word)

    def _entries(self, word: str) -> list[dict[str, Any]]:
        entries = self.data.get("backend", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise RequestError(f"--set {word}: {self.label} must give its backends as [[backend]] tables")
        return entries

    def _put(self, table: dict[str, Any], base: Path, parts: list[str], value: Any, word: str) -> None:
        for index, part in enumerate(parts[:-1], start=1):
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise RequestError(f"--set {word}: {'.'.join(parts[:index])} is no table; set it as a whole")
        table[parts[-1]] = value
        self._overrides[(*base, *parts)] = word


def _names(entries: Any) -> frozenset[str]:
    tables = entries if isinstance(entries, list) else []
    names = [table.get("name") for table in tables if isinstance(table, dict)]
    return frozenset(name for name in names if isinstance(name, str))


def _value(word: str, text: str) -> Any:
    """Return the TOML value of a text, in which words need no quotes."""
    quoted = re.sub(
        r"""(?<![\w"'.+-])(?!true\b|false\b|inf\b|nan\b)([A-Za-z][\w.-]*)(?![\w"'.-]|\s*=)""", r'"\1"', text
    )
    for attempt in (text, quoted):
        if "\n" in attempt:
            continue
        try:
            return tomllib.loads(f"value = {attempt}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError, ValueError):
            continue
    if not text or text[0] in "[{\"'":
        raise RequestError(f"--set {word}: {text!r} is no valid TOML value")
    return text


# The line of each key: tomllib tells what a file says, but not where, and messages need both. This scans lines and is
# no second parser, because tomllib has read the text before, so the text is valid.

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_TRIPLE = re.compile(r'"""|' + "'''")


class Positions:
    """The line of every key in a valid TOML text, by its path."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._starts: dict[Path, int] = {}
        self._scan()

    def line(self, path: Path, value: object = None) -> int | None:
        """Return the line (from 1) of a path, or else of the nearest table around it; ``None`` if there is none."""
        for length in range(len(path), 0, -1):
            start = self._starts.get(path[:length])
            if start is not None:
                return self._inside(start, path[length:], value)
        return None

    def _inside(self, start: int, rest: Path, value: object) -> int:
        """Return the line of a value, which may span several, that names the rest of the path or the value itself."""
        later = [line for line in self._starts.values() if line > start]
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
                    self._starts[prefix] = number
                    self._starts.setdefault(prefix[:-1] or prefix, number)
                    continue
                if assignment:
                    self._starts[prefix + _parts(assignment[1])] = number
                    line = line[assignment.end() :]  # noqa: PLW2901  only brackets in the value count
            depth, quoted = _nesting(line, depth, quoted)


def _table(header: re.Match[str], counts: dict[Path, int]) -> Path:
    """Return the path of a header; inside an array of tables it means the latest element. Update ``counts``."""
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
    """Return how many brackets are open after a line, and which triple quote is open, or an empty string."""
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
