"""What a backend lacks on this machine, as far as that can be told without importing it."""

from __future__ import annotations

import importlib.util
import sys

from harness.contract.spec import BackendSpec


def missing(wanted: BackendSpec) -> str | None:
    """Return why the backend cannot run here as far as can be told without importing it, or ``None``."""
    absent = [name for name in wanted.requires if not _importable(name)]
    if absent:
        hint = f"; install with: {wanted.install}" if wanted.install else ""
        return f"needs {', '.join(absent)}, which cannot be imported{hint}"
    module, _, _ = wanted.implementation.partition(":")
    parent, _, _ = module.rpartition(".")
    if (not parent or parent in sys.modules) and not _findable(module):
        return f"its implementation {wanted.implementation!r} points nowhere: there is no module {module!r}"
    return None


def _importable(name: str) -> bool:
    top, _, _ = name.partition(".")
    return _findable(top)


def _findable(name: str) -> bool:
    """Whether a module can be found; imports nothing, as long as its parent is loaded or it has none."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a parent that is no package; a loaded module without a spec
        return name in sys.modules
