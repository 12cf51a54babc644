"""``Document``: what a study file says, with ``--set`` applied, and where each part of it stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path as File
from typing import Any

from harness.errors import RequestError, clean
from harness.study.positions import Path, Positions

LARGEST = 2**20
"""Bytes of a study file, at most: nobody writes a longer one by hand."""
DEFAULT_DATASET = "digits"
PER_BACKEND = ("workers", "options", "python", "hosts")
"""Keys of ``[[backend]]`` that ``--set`` also takes without the prefix ``backend.``."""


class Document:
    """The tables of one study file; ``where`` names the file and line, or the override, of a path."""

    def __init__(self, text: str, label: str, folder: File) -> None:
        self.label = clean(label)
        self.folder = folder
        """Relative interpreters start here."""
        self.text = text
        self.overrides: tuple[str, ...] = ()
        self.asked: frozenset[str] = frozenset()
        """Backends that an override named."""
        self._positions = Positions(text)
        self._overrides: dict[Path, str] = {}
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            raise RequestError(f"{label}: {error or 'nested too deeply'}") from None

        self.written = _names(self.data.get("backend"))
        """Names of the backends in the file, whatever an override chooses: its rules may name them."""

    def where(self, path: Path, value: object = None) -> str:
        """Return ``file:line`` of a path, or the override that put it there."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._overrides:
                return f"--set {self._overrides[path[:length]]}"
        inside = [word for key, word in self._overrides.items() if key[: len(path)] == path]
        if inside:
            return f"--set {inside[-1]}"
        line = self._positions.line(path, value)
        return f"{self.label}:{line}" if line else self.label

    def override(self, words: Sequence[str]) -> None:
        """Apply ``key=value`` words in order; what they set is checked like the rest of the study."""
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
        """Keep the entries of the named backends; one that the study lacks comes in with its defaults."""
        wanted = [names] if isinstance(names, str) else names
        if not isinstance(wanted, list) or not wanted or not all(isinstance(name, str) for name in wanted):
            raise RequestError(f"--set {word}: name one backend or a list of them")
        entries: list[Any] = []
        for name in wanted:
            known = [entry for entry in self._entries(word) if entry.get("name") == name]
            entries += known or [{"name": name}]
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
            raise RequestError(f"--set {word}: {self.label} should give its backends as [[backend]] tables")
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
    """Return a TOML value; words need no quotes."""
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
        raise RequestError(f"--set {word}: {text!r} is no TOML value")
    return text
