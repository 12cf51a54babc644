"""Checks the fields of a ``BackendSpec``; a refusal is a ``PluginError`` with the field and what it should hold."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from harness.contract.options import Table, check_table, listed
from harness.contract.vocabulary import API, NAME, RESERVED, Algebra, Mathematics, Parallel
from harness.errors import PluginError, nearest

IMPORTABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
IMPLEMENTATION = re.compile(rf"{IMPORTABLE.pattern}:[A-Za-z_]\w*")
OWN_ARGUMENTS = ("network", "parameters", "self", "workers")
"""Arguments of a backend's ``__init__`` that are not options."""


def check_spec(fields: Mapping[str, Any]) -> None:
    """Refuse the fields of a spec of which any is not what the contract says."""
    name = fields["name"]
    _check_api(name, fields["api"])
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PluginError(f"backend name {name!r}: use a-z, 0-9 and - only, a letter or digit first")
    for label, fits, should_be in _RULES:
        if not fits(fields[label]):
            raise PluginError(f"backend {name!r}: {label}={fields[label]!r:.80} should be {should_be}")
    for label, kind in (("parallel", Parallel), ("algebra", Algebra), ("mathematics", Mathematics)):
        value = fields[label]
        if value not in get_args(kind):
            raise PluginError(f"backend {name!r}: {label}={value!r}{nearest(str(value), get_args(kind))}")
    _check_options(f"backend {name!r}", fields["options"])


def _check_api(name: object, api: object) -> None:
    """Refuse a plugin that speaks another contract, and say which side is the older one."""
    if isinstance(api, int) and not isinstance(api, bool) and api == API:
        return
    newer = isinstance(api, int) and api > API
    step = "upgrade the harness: pip install --upgrade backprop-harness" if newer else "upgrade the plugin"
    raise PluginError(f"backend {name!r} speaks api {api!r}, this harness api {API}", step=step)


def _check_options(owner: str, table: Table) -> None:
    check_table(owner, table)
    for name, values in table.items():
        if name in OWN_ARGUMENTS or keyword.iskeyword(name):
            raise PluginError(f"{owner}: an option cannot be called {name!r}, which has a meaning of its own")
        if len(set(values)) < len(values):
            raise PluginError(f"{owner}: option {name!r} lists a value twice: {values!r}")
        if not all(_sayable(value) for value in listed(values)):
            raise PluginError(f"{owner}: option {name!r} holds a value that cannot be typed: {values!r}")
        if name in RESERVED and not set(values) <= set(RESERVED[name]):
            allowed = ", ".join(RESERVED[name])
            raise PluginError(f"{owner}: option {name!r} is reserved: its values are {allowed}, not {values!r}")


def _sayable(value: object) -> bool:
    """Whether a user can type the value on a command line, in a list with commas."""
    return isinstance(value, int) or bool(re.fullmatch(r"[!-+\--~]+", str(value)))


def _line(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _importables(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(name, str) and IMPORTABLE.fullmatch(name) for name in value)


def _option_table(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


def _reasons(value: object) -> bool:
    return isinstance(value, Mapping) and all(_line(text) and text for pair in value.items() for text in pair)


def _baseline(value: object) -> bool:
    match value:
        case None:
            return True
        case (str(name), Mapping()):
            return isinstance(value, tuple) and bool(NAME.fullmatch(name))
        case _:
            return False


_RULES: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    ("implementation", lambda path: isinstance(path, str) and bool(IMPLEMENTATION.fullmatch(path)), "'module:Class'"),
    ("summary", lambda text: _line(text) and bool(str(text).strip()), "one line of text"),
    ("requires", _importables, "a tuple of importable names"),
    ("install", _line, "one line, the command that installs what it requires"),
    ("options", _option_table, "a mapping from option to values"),
    ("counterpart", _baseline, "None or (name, options)"),
    ("environment", callable, "a function of (workers, options)"),
    ("known_failures", _reasons, "a mapping from check to reason"),
    ("launcher", lambda words: words is None or callable(words), "None or a function of (workers, options, hosts)"),
)
