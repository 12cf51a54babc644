"""Read the entries of ``[[backend]]``, and the rules of ``include`` and ``exclude``."""

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
from harness.study.document import Path
from harness.study.model import BackendEntry, Rule
from harness.study.reader import Reader

KEYS = ("name", "workers", "options", "python", "hosts", "optional")
"""The keys of a ``[[backend]]``."""
RULE_AXES = {"network": "networks"}
"""The axis of each key in a rule whose name differs from the axis: a rule says ``network``."""


@dataclass(frozen=True)
class Entries:
    """The backends of a study: entries that can be used, names of those left out, and the spec of each by name."""

    backends: tuple[BackendEntry, ...]
    left_out: tuple[str, ...]
    specs: Mapping[str, BackendSpec]
    names: frozenset[str]
    """Names that a rule may use: all installed backends and all in the study, even those that are left out."""
    unchecked: frozenset[str] = frozenset()
    """Backends whose options are not known: those that are left out, and those of interpreters that are not asked."""


def read_entries(reader: Reader, catalogue: Catalogue) -> Entries:
    """Read every ``[[backend]]`` of the document; note what is wrong with them."""
    raw = reader.document.data.get("backend", [])
    if not isinstance(raw, list) or not raw:
        reader.missing(("backend",), 'no backend is named; add [[backend]] with its name, as in name = "blas"')
        return Entries((), (), catalogue.backends, frozenset(catalogue.backends))
    backends: list[BackendEntry] = []
    left_out: list[str] = []
    unasked: list[str] = []
    specs = dict(catalogue.backends)
    for index, table in enumerate(raw):
        entry = _Entry(reader, catalogue, ("backend", index), table)
        spec = entry.spec()
        if spec is not None:
            specs.setdefault(spec.name, spec)
            backends.append(entry.read(spec.name, spec))
        elif entry.unasked:
            unasked.append(entry.unasked)
            backends.append(entry.read(entry.unasked, None))
        elif entry.left_out:
            left_out.append(entry.left_out)
    if not backends and left_out:
        reader.missing(("backend",), f"none of its backends is installed: {', '.join(left_out)}")
    names = frozenset([*specs, *reader.document.written])
    return Entries(tuple(backends), tuple(dict.fromkeys(left_out)), specs, names, frozenset([*left_out, *unasked]))


class _Entry:
    """One ``[[backend]]`` that is being read."""

    def __init__(self, reader: Reader, catalogue: Catalogue, path: Path, table: Any) -> None:
        self._reader, self._catalogue, self._path = reader, catalogue, path
        self._table = reader.table(path, table, KEYS)
        self._given = isinstance(table, dict)
        self.left_out = ""
        """The entry's name, if it is optional and not installed."""
        self.unasked = ""
        """The entry's name, if it belongs to another interpreter and none may be asked."""

    def spec(self) -> BackendSpec | None:
        """Return the spec of the entry's backend; ``None`` without one: then note why, or set one of the two names."""
        if "name" not in self._table:
            if self._given:
                self._reader.missing(self._path, "a [[backend]] needs a name")
            return None
        if "python" in self._table and self._catalogue.elsewhere is None:
            self._one("optional", values.boolean)
            self.unasked = "" if self._python() is None else self._name() or ""
            return None
        known = self._known()
        if known is None:
            return None
        name = self._name()
        optional = self._one("optional", values.boolean, default=False)
        if name is None or name in known:
            return None if name is None else known[name]
        cause = f"unknown backend{nearest(name, known)} (harness backends lists what is installed)"
        if optional:
            self.left_out = name
        else:
            self._reader.problem((*self._path, "name"), name, cause)
        return None

    def _name(self) -> str | None:
        return self._reader.one(values.text, (*self._path, "name"), self._table["name"])  # type: ignore[no-any-return]

    def read(self, name: str, spec: BackendSpec | None) -> BackendEntry:
        """Return the entry; note what is wrong with it. Without a spec, its options are taken as they stand."""
        workers = readers(self._catalogue)["workers"]
        given = self._table.get("hosts")
        hosts = () if given is None else self._reader.axis(values.host, (*self._path, "hosts"), given)
        if hosts and spec is not None and spec.launcher is None and "python" not in self._table:
            cause = f"backend {name!r} starts on this machine only, because it has no launcher"
            self._reader.problem((*self._path, "hosts"), list(hosts), cause)
        options = self._table.get("options", {})
        return BackendEntry(
            name=name,
            workers=self._reader.axis(workers, (*self._path, "workers"), self._table.get("workers", 1)),
            options=read_options(self._reader, (*self._path, "options"), options, None if spec is None else [spec]),
            python=self._python(),
            hosts=hosts,
        )

    def _known(self) -> Mapping[str, BackendSpec] | None:
        if "python" not in self._table:
            return self._catalogue.backends
        python = self._python()
        if python is None:
            return None
        ask = self._catalogue.elsewhere
        assert ask is not None  # ``spec`` has looked
        return self._one("python", lambda _: ask(python))  # type: ignore[no-any-return]

    def _python(self) -> str | None:
        """Return the absolute path of the interpreter. Links are kept: a virtual environment is known by its link."""
        folder = self._reader.document.folder
        return self._one("python", lambda value: values.interpreter(folder, value))  # type: ignore[no-any-return]

    def _one(self, key: str, read: values.Read, *, default: Any = None) -> Any:
        if key not in self._table:
            return default
        return self._reader.one(read, (*self._path, key), self._table[key])


def read_options(
    reader: Reader, path: Path, value: Any, specs: list[BackendSpec] | None
) -> Mapping[str, tuple[Option, ...]]:
    """Read a table of options, each with one value or a list. A value must suit at least one of the backends.

    ``None`` instead of specs means that a backend is not known, so any name and value may suit it.
    """
    table = reader.one(values.table, path, value) or {}
    if specs is None:
        return {name: reader.axis(values.option, (*path, name), given) for name, given in table.items()}
    owners = {spec.name: spec.options for spec in specs}
    return {name: reader.axis(_suiting(owners, name), (*path, name), given) for name, given in table.items()}


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


def read_rules(reader: Reader, key: str, catalogue: Catalogue, entries: Entries) -> tuple[Rule, ...]:
    """Read all rules under ``key``, which is ``include`` or ``exclude``."""
    raw = reader.document.data.get(key, [])
    tables = raw if isinstance(raw, list) else [raw]
    return tuple(_rule(reader, (key, index), table, catalogue, entries) for index, table in enumerate(tables))


def _rule(reader: Reader, path: Path, value: Any, catalogue: Catalogue, entries: Entries) -> Rule:
    reads = {**readers(catalogue), "backend": values.word("backend", entries.names)}
    known = ("backend", "options", *(name for name in reads if name != "networks"), "network")
    table = reader.table(path, value, tuple(dict.fromkeys(known)))
    if value == {}:
        reader.problem(path, value, "a rule names at least one axis, as in {backend = 'blas', batch = 1}")
    axes = {
        RULE_AXES.get(key, key): reader.axis(reads[RULE_AXES.get(key, key)], (*path, key), given)
        for key, given in table.items()
        if key != "options"
    }
    specs = _specs(entries, axes.get("backend", ()))
    options = read_options(reader, (*path, "options"), table["options"], specs) if table.get("options") else {}
    return Rule(axes, options, f"{reader.document.where(path)}: {path[0]}[{path[1]}]")


def _specs(entries: Entries, named: tuple[str, ...]) -> list[BackendSpec] | None:
    """Return the specs to which a rule's options may belong: of the backends that it names, or else of all.

    Return ``None`` if one of these backends is not known here, or none of them.
    """
    wanted = named or tuple(entry.name for entry in entries.backends)
    if entries.unchecked.intersection(wanted):
        return None
    return [entries.specs[name] for name in dict.fromkeys(wanted) if name in entries.specs] or None
