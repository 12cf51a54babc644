"""Where a plugin comes from, and what is the matter with it, on one line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pluggy

from harness import _version
from harness.errors import PluginError, clean

_HOMES = (str(Path(module.__file__).parent) + os.sep for module in (_version, pluggy, metadata) if module.__file__)
_OURS = ("<", *_HOMES)
"""Where code stands that is no plugin's: frozen modules, the harness, pluggy and importlib.metadata."""


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from, for messages and receipts."""

    plugin: str
    module: str
    distribution: str
    version: str

    def __str__(self) -> str:
        """Return the plugin with its distribution and version."""
        return f"plugin {self.plugin!r} ({self.distribution} {self.version})"


@dataclass(frozen=True)
class Problem:
    """What is the matter with a plugin, or with one thing that it offers: cause and next step."""

    source: Source
    cause: str
    step: str
    name: str = ""
    """The backend, activation or dataset that is refused, where it is one and not the plugin."""
    warning: bool = False
    """Whether all that the plugin offers can be used nevertheless."""

    def __str__(self) -> str:
        """Return the whole line, safe for a terminal."""
        return clean(f"{'warning: ' if self.warning else ''}{self.source}: {self.cause}; {self.step}")


def raised(source: Source, error: BaseException) -> Problem:
    """Return the problem that a plugin has which raised ``error``."""
    cause = said(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {said(error)}"
    special = error.step if isinstance(error, PluginError) else ""
    return Problem(
        source, cause + _where(error), special or f"mend it, or remove it: pip uninstall {source.distribution}"
    )


def said(error: BaseException) -> str:
    """Return the error's message; writing it is the plugin's own code, which may fail as well."""
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001  a message that cannot be written must not hide the other plugins
        return f"(its message raised {type(second).__name__})"


def _where(error: BaseException) -> str:
    """Return the last line of the plugin's own code that led to the error, for its author."""
    trace, lines = error.__traceback__, []
    while trace:
        lines.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    theirs = [(Path(file), line) for file, line in lines if not file.startswith(_OURS)]
    if not theirs:
        return ""
    file, line = theirs[-1]
    return f" ({file.parent.name}/{file.name}, line {line})"
