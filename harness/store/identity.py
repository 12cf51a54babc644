"""Tell which code measured a row: the version and a digest of the source files as they are on the disk.

The version alone is the same for two different checkouts. A commit also changes with a page of the manual, and does not
change with an edit that is not committed yet. The digest does what is needed in both cases, and needs no git.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness._version import __version__
from harness.contract.registry import Source, registry

MEASURING = (
    "contract",
    "datasets",
    "errors.py",
    "machine/cores.py",
    "machine/facts",
    "machine/kernels",
    "machine/launch.py",
    "machine/limit",
    "machine/process",
    "plan/cell.py",
    "runner",
    "worker",
)
"""The parts of the harness that can change a measurement: everything that a worker loads, and what starts a worker."""


def code(home: Path = Path(__file__).parents[1]) -> str:
    """Return the identity of the part of the harness that measures."""
    sources = [path for path in _sources(home) if _measures(path.relative_to(home))]
    return f"{__version__}+{_digest(home, sources)}"


def _measures(path: Path) -> bool:
    return any(path.is_relative_to(part) for part in MEASURING)


def plugins() -> dict[str, str]:
    """Return the identity of the plugin of each installed backend, by backend; imports no implementation.

    The versions of what the backend requires belong to it: another PyTorch is another contender.
    """
    known = registry()
    return {name: _plugin(source, known.backends[name].requires) for name, source in known.sources.items()}


def _plugin(source: Source, requires: Iterable[str]) -> str:
    parts = [f"{source.distribution} {source.version}+{_package_digest(source.module)}"]
    return ", ".join([*parts, *(f"{name} {_version(name)}" for name in requires)])


def _version(name: str) -> str:
    """Return the version of a required package, or whether it is here if no distribution has its name."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "here" if importlib.util.find_spec(name.partition(".")[0]) else "absent"


def _package_digest(module: str) -> str:
    location = importlib.util.find_spec(module.partition(":")[0])
    if location is None or location.origin is None:
        return "unknown"
    origin = Path(location.origin)
    return _digest(origin.parent, _sources(origin.parent) if location.submodule_search_locations else [origin])


def _sources(home: Path) -> list[Path]:
    """Return the files of a package, without the files that Python, Numba and editors leave there."""
    paths = (path for path in home.rglob("*") if path.is_file())
    return sorted(path for path in paths if not any(map(_left_behind, path.relative_to(home).parts)))


def _left_behind(name: str) -> bool:
    return name == "__pycache__" or name.startswith(".")


def _digest(home: Path, sources: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sources:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(home).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
