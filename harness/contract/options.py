"""Tables of options: what a backend or a dataset takes by name, each with its default and the values it knows.

An option is ``str`` or ``int``. Its first value is the default; a trailing ``...`` takes other values of its type too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import EllipsisType
from typing import TypeAlias

from harness.contract.environment import Option
from harness.errors import PluginError, RequestError, nearest

Values: TypeAlias = tuple[Option | EllipsisType, ...]
Table: TypeAlias = Mapping[str, Values]

OPTION = re.compile(r"[a-z_][a-z0-9_]*")


def listed(values: Values) -> tuple[Option, ...]:
    """Return the values that are named, the default first."""
    return tuple(value for value in values if not isinstance(value, EllipsisType))


def defaults(table: Table) -> dict[str, Option]:
    """Return every option at its first value."""
    return {name: listed(values)[0] for name, values in table.items()}


def plain(table: Table) -> dict[str, list[Option]]:
    """Return a table as JSON can hold it: ``"..."`` at the end says that other values are taken too."""
    return {name: ["..." if isinstance(value, EllipsisType) else value for value in table[name]] for name in table}


def from_plain(table: Mapping[str, list[Option]]) -> dict[str, Values]:
    """Return the table that ``plain`` wrote for JSON."""
    return {name: (*values[:-1], ...) if values[-1:] == ["..."] else tuple(values) for name, values in table.items()}


def resolve(owner: str, table: Table, options: Mapping[str, Option]) -> dict[str, Option]:
    """Return all options of ``owner``, those given checked against the table and the others at their default."""
    for name, value in options.items():
        check_value(owner, table, name, value)
    return {**defaults(table), **options}


def parse(owner: str, table: Table, words: Mapping[str, str]) -> dict[str, Option]:
    """Turn ``name=value`` words from a command line into options of their type, checked, defaults filled in."""
    return resolve(owner, table, {name: _typed(owner, table, name, word) for name, word in words.items()})


def check_value(owner: str, table: Table, name: str, value: object) -> None:
    """Refuse an unknown option, a value of the wrong type and, without a trailing ``...``, an unknown value."""
    _check_name(owner, table, name)
    values, known = table[name], listed(table[name])
    if type(value) is not type(known[0]):
        kind = type(known[0]).__name__
        quoted = f'; write "{value}" in quotes' if str(value) in known else ""
        raise RequestError(f"{owner}: option {name}={value!r} should be {kind}, not {type(value).__name__}{quoted}")
    if values[-1] is not ... and value not in known:
        raise RequestError(f"{owner}: option {name}={value!r} is unknown{nearest(str(value), map(str, known))}")


def check_table(owner: str, table: Table) -> None:
    """Refuse a table that a plugin wrote wrongly."""
    for name, values in table.items():
        where = f"{owner}: option {name!r}"
        if not OPTION.fullmatch(name):
            raise PluginError(f"{where} should be a lower-case Python name")
        if not isinstance(values, tuple) or not values or values[0] is ...:
            raise PluginError(f"{where} should be a tuple of values, the default first, not {values!r}")
        known = listed(values)
        if ... in values[:-1] or len({type(value) for value in known}) > 1 or type(known[0]) not in (str, int):
            raise PluginError(f"{where} should hold only str or only int, ... at the end if at all, not {values!r}")


def _typed(owner: str, table: Table, name: str, word: str) -> Option:
    _check_name(owner, table, name)
    if isinstance(listed(table[name])[0], str):
        return word
    try:
        return int(word)
    except ValueError:
        raise RequestError(f"{owner}: option {name}={word!r} should be a whole number") from None


def _check_name(owner: str, table: Table, name: str) -> None:
    if name not in table:
        raise RequestError(f"{owner}: unknown option {name!r}{nearest(name, table)}")
