"""The versions of everything that ran: Python, the harness, the plugin, and the libraries that they loaded."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from harness import _version
from harness.contract.registry import Source
from harness.machine.facts.git import checkout

COMMON = ("numpy", "scipy", "numba", "threadpoolctl")
"""Libraries that are always reported if they are loaded."""


def python() -> dict[str, Any]:
    """Return what interpreter this is: version, kind and GIL. Its path is private and is left out."""
    gil = getattr(sys, "_is_gil_enabled", None)
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "gil": True if gil is None else bool(gil()),
        "environment": "virtual" if sys.prefix != sys.base_prefix else "system",
    }


def libraries(required: Iterable[str]) -> dict[str, str]:
    """Return versions by importable name: of the ``required`` libraries, and of the common ones that are loaded."""
    loaded = [name for name in COMMON if name in sys.modules]
    versions = {name: library_version(name) for name in (*required, *loaded)}
    return {name: number for name, number in sorted(versions.items()) if number}


def library_version(name: str) -> str:
    """Return a library's version: from its module if it is loaded, else from its distribution; empty if unknown."""
    stated = getattr(sys.modules.get(name), "__version__", None)
    if isinstance(stated, str):
        return stated
    try:
        return version(name.partition(".")[0])
    except PackageNotFoundError:
        return ""


def origin(source: Source | None) -> dict[str, Any]:
    """Return the versions of the harness and of the backend's plugin, and for checkouts their commits."""
    parts: dict[str, Any] = {"harness": _part("backprop-harness", _version.__version__, _version.__file__)}
    if source is not None:
        module = sys.modules.get(source.module)
        parts["plugin"] = _part(source.distribution, source.version, getattr(module, "__file__", None))
    return parts


def _part(distribution: str, number: str, file: str | None) -> dict[str, Any]:
    return {"distribution": distribution, "version": number, **(checkout(file) or {})}
