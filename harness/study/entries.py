"""Reading ``[[backend]]`` entries: names, workers, options, and interpreters and hosts where they are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.contract import options as tables
from harness.contract.environment import Option
from harness.contract.spec import BackendSpec
from harness.errors import RequestError, nearest
from harness.study import values
from harness.study.axes import readers
from harness.study.catalogue import Catalogue
from harness.study.model import BackendEntry
from harness.study.places import host, interpreter
from harness.study.positions import Path
from harness.study.reader import Reader

KEYS = ("name", "workers", "options", "python", "hosts", "optional")


@dataclass(frozen=True)
class Entries:
    """The entries that can be used, the names of those left out, and the spec of each backend by name."""

    backends: tuple[BackendEntry, ...]
    left_out: tuple[str, ...]
    specs: Mapping[str, BackendSpec]
    names: frozenset[str]
    """Names that a rule may use: what is installed, and what the study names even if it is left out."""


def read_entries(reader: Reader, catalogue: Catalogue) -> Entries:
    """Read every ``[[backend]]`` of the document."""
    raw = reader.document.data.get("backend", [])
    if not isinstance(raw, list) or not raw:
        reader.missing(("backend",), 'no backend is named; add [[backend]] with its name, as in name = "blas"')
        return Entries((), (), catalogue.backends, frozenset(catalogue.backends))
    found: list[BackendEntry] = []
    left_out: list[str] = []
    specs = dict(catalogue.backends)
    for index, table in enumerate(raw):
        entry = _Entry(reader, catalogue, ("backend", index), table)
        spec = entry.spec()
        if spec is not None:
            specs.setdefault(spec.name, spec)
            found.append(entry.read(spec))
        elif entry.left_out:
            left_out.append(entry.left_out)
    if not found and left_out:
        reader.missing(("backend",), f"none of its backends is installed: {', '.join(left_out)}")
    names = frozenset([*specs, *reader.document.written])
    return Entries(tuple(found), tuple(dict.fromkeys(left_out)), specs, names)


class _Entry:
    """One ``[[backend]]`` while it is read."""

    def __init__(self, reader: Reader, catalogue: Catalogue, path: Path, table: Any) -> None:
        self._reader, self._catalogue, self._path = reader, catalogue, path
        self._table = reader.table(path, table, KEYS)
        self._given = isinstance(table, dict)
        self.left_out = ""
        """The name of an optional backend that is not installed."""

    def spec(self) -> BackendSpec | None:
        """Return the spec of the entry's backend, or ``None`` after a note."""
        if "name" not in self._table:
            if self._given:
                self._reader.missing(self._path, "a [[backend]] needs a name")
            return None
        known = self._known()
        if known is None:
            return None
        name = self._reader.one(values.text, (*self._path, "name"), self._table["name"])
        optional = self._one("optional", values.boolean, default=False)
        if name is None or name in known:
            return None if name is None else known[name]
        cause = f"unknown backend{nearest(name, known)} (harness backends lists what is installed)"
        if optional:
            self.left_out = name
        else:
            self._reader.problem((*self._path, "name"), name, cause)
        return None

    def read(self, spec: BackendSpec) -> BackendEntry:
        """Return the entry; what is wrong with it is noted."""
        workers = readers(self._catalogue)["workers"]
        hosts = self._reader.axis(host, (*self._path, "hosts"), self._table["hosts"]) if "hosts" in self._table else ()
        if hosts and spec.launcher is None and "python" not in self._table:
            cause = f"backend {spec.name!r} starts on this machine only; it has no launcher"
            self._reader.problem((*self._path, "hosts"), list(hosts), cause)
        return BackendEntry(
            name=spec.name,
            workers=self._reader.axis(workers, (*self._path, "workers"), self._table.get("workers", 1)),
            options=read_options(self._reader, (*self._path, "options"), self._table.get("options", {}), [spec]),
            python=self._python(),
            hosts=hosts,
        )

    def _known(self) -> Mapping[str, BackendSpec] | None:
        if "python" not in self._table:
            return self._catalogue.backends
        python = self._python()
        if python is None:
            return None
        return self._one("python", lambda _: self._catalogue.elsewhere(python))  # type: ignore[no-any-return]

    def _python(self) -> str | None:
        """Return the absolute path of the interpreter, links kept: a virtual environment is known by its link."""
        folder = self._reader.document.folder
        return self._one("python", lambda value: interpreter(folder, value))  # type: ignore[no-any-return]

    def _one(self, key: str, read: values.Read, *, default: Any = None) -> Any:
        if key not in self._table:
            return default
        return self._reader.one(read, (*self._path, key), self._table[key])


def read_options(reader: Reader, path: Path, value: Any, specs: list[BackendSpec]) -> Mapping[str, tuple[Option, ...]]:
    """Read a table of options, each one value or a list; a value must suit at least one of the backends."""
    found = reader.one(values.table, path, value) or {}
    owners = {spec.name: spec.options for spec in specs}
    return {name: reader.axis(_suiting(owners, name), (*path, name), item) for name, item in found.items()}


def _suiting(owners: Mapping[str, tables.Table], name: str) -> values.Read:
    def read(value: Any) -> Any:
        refusals = []
        for owner, table in owners.items():
            try:
                tables.check_value(owner, table, name, value)
            except RequestError as error:
                refusals.append(error)
            else:
                return value
        raise refusals[0]

    return read
