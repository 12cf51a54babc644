"""A fault of a plugin, on one line: where the plugin comes from, the cause, and the next step."""

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
"""File names that begin so are not a plugin's: frozen modules, the harness, pluggy and importlib.metadata."""


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
class Fault:
    """What is wrong with a plugin, or with one thing that it offers: the cause and the next step."""

    source: Source
    cause: str
    step: str
    name: str = ""
    """The backend, activation or dataset that is refused; empty where the fault is the plugin's own."""
    warning: bool = False
    """Whether everything that the plugin offers can still be used."""

    def __str__(self) -> str:
        """Return the whole line, safe for a terminal."""
        return clean(f"{'warning: ' if self.warning else ''}{self.source}: {self.cause}; {self.step}")


def raised(source: Source, error: BaseException) -> Fault:
    """Return the fault of a plugin that raised ``error``."""
    cause = said(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {said(error)}"
    special = error.step if isinstance(error, PluginError) else ""
    return Fault(
        source, cause + _where(error), special or f"mend it, or remove it: pip uninstall {source.distribution}"
    )


def said(error: BaseException) -> str:
    """Return the error's message. The message is made by the plugin's own code, which may raise as well."""
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001  a message that cannot be written must not hide the other plugins
        return f"(its message raised {type(second).__name__})"


def _where(error: BaseException) -> str:
    """Return the file and line of the plugin's own code from which the error came, for its author."""
    trace, lines = error.__traceback__, []
    while trace:
        lines.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    theirs = [(Path(file), line) for file, line in lines if not file.startswith(_OURS)]
    if not theirs:
        return ""
    file, line = theirs[-1]
    return f" ({file.parent.name}/{file.name}, line {line})"
