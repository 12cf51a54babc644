"""What a system must offer so that cells can run on it. Stores can be read, compared and reported on any system."""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
from collections.abc import Iterator
from types import ModuleType

from harness.errors import Unavailable

FUNCTIONS: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (os, ("fork", "setsid", "sysconf", "waitpid")),
    (signal, ("SIGKILL", "pthread_sigmask")),
    (select, ("poll",)),
)
MODULES = ("fcntl", "resource")


def require_processes() -> None:
    """Raise ``Unavailable`` where the system lacks what starts, limits and ends the processes of a cell."""
    lacking = list(_lacking())
    if lacking:
        raise Unavailable(
            f"cells cannot run on this system ({sys.platform}), because Python has no {', '.join(lacking)} here; "
            "run them on Linux, macOS or WSL; report, compare, export and merge work here too"
        )


def _lacking() -> Iterator[str]:
    for module, names in FUNCTIONS:
        yield from (f"{module.__name__}.{name}" for name in names if not hasattr(module, name))
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            yield name
