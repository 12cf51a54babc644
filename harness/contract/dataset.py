"""``Dataset``: what a plugin says of a dataset without loading it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType

from harness.contract import options
from harness.errors import PluginError

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One dataset, described; fields are only ever added, with defaults.

    Every function is named ``"module:function"``, imported when it is needed, and called with all options as keywords.
    """

    name: str
    summary: str
    load: str
    """Returns ``harness.Data``."""
    inputs: int
    """Columns of x with every option at its default."""
    outputs: int
    licence: str
    options: options.Table = field(default_factory=dict)
    """As a backend's: values by name, the default first; a trailing ``...`` takes others of the same type too."""
    shape: str = ""
    """Returns ``harness.Shape`` at once, so that a plan needs no data; empty: the data are loaded to know."""
    files: str = ""
    """Returns the ``harness.RemoteFile``s that ``load`` reads, for ``fetch``; empty: it needs none."""

    def __post_init__(self) -> None:
        owner = f"dataset {self.name!r}"
        functions = {"load": self.load, **{n: getattr(self, n) for n in ("shape", "files") if getattr(self, n)}}
        for label, path in functions.items():
            if not isinstance(path, str) or not FUNCTION.fullmatch(path):
                raise PluginError(f"{owner}: {label} {path!r} should be 'module:function'")
        options.check_table(owner, self.options)
        if "name" in self.options:
            raise PluginError(f"{owner}: option 'name' is taken: a study says {{name = {self.name!r}, ...}}")
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
