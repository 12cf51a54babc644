"""Reading ``include`` and ``exclude``: rules that name axes and values."""

from __future__ import annotations

from typing import Any

from harness.contract.spec import BackendSpec
from harness.study import values
from harness.study.axes import readers
from harness.study.catalogue import Catalogue
from harness.study.entries import Entries, read_options
from harness.study.model import Rule
from harness.study.positions import Path
from harness.study.reader import Reader

AXES = {"network": "networks"}
"""The one axis whose rule key is in the singular, as a rule names one."""


def read_rules(reader: Reader, key: str, catalogue: Catalogue, entries: Entries) -> tuple[Rule, ...]:
    """Read all rules under ``include`` or ``exclude``."""
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
        AXES.get(key, key): reader.axis(reads[AXES.get(key, key)], (*path, key), item)
        for key, item in table.items()
        if key != "options"
    }
    specs = _specs(entries, axes.get("backend", ()))
    options = read_options(reader, (*path, "options"), table["options"], specs) if table.get("options") else {}
    return Rule(axes, options, f"{reader.document.where(path)}: {path[0]}[{path[1]}]")


def _specs(entries: Entries, named: tuple[str, ...]) -> list[BackendSpec]:
    """The specs that a rule's options may belong to: of the backends it names, else of all in the study."""
    wanted = named or tuple(entry.name for entry in entries.backends)
    return [entries.specs[name] for name in dict.fromkeys(wanted) if name in entries.specs]
