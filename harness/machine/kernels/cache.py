"""Where the answer to ``kernels=auto`` is kept: one small file a machine and library in the XDG cache folder."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.contract.folders import cache_folder, whole_file


def read() -> dict[str, object] | None:
    """Return what an earlier search found; anything unreadable counts as nothing, and is measured again."""
    try:
        known = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    sound = isinstance(known, dict) and isinstance(known.get("fastest", 0), str | None)
    return known if sound else None


def write(known: dict[str, object]) -> None:
    """Put the answer in place in one step; where the folder cannot be written, the next process measures again."""
    path = _path()
    try:
        with whole_file(path) as file:
            file.write(json.dumps(known).encode())
    except OSError as error:
        print(f"warning: {path} cannot be written ({error}); kernels=auto measures in every process", file=sys.stderr)


def _path() -> Path:
    return cache_folder() / f"blas-kernels-{_fingerprint()}.json"


def _fingerprint() -> str:
    """Return a digest of the CPU and of NumPy with the BLAS that it carries, without importing NumPy."""
    words = [platform.machine(), *_cpu(), importlib.metadata.version("numpy"), *_libraries()]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _cpu() -> list[str]:
    """Return model and flags of the first CPU, where the system tells them."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else [platform.processor()]
    wanted = ("model name", "flags", "Features", "CPU part")
    return list(dict.fromkeys(line for line in lines if line.startswith(wanted))) or lines[:1]


def _libraries() -> Iterator[str]:
    """Yield where NumPy lies and the files of the BLAS beside it, whose names carry a digest of their content."""
    spec = importlib.util.find_spec("numpy")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    yield str(package)
    yield from sorted(path.name for path in package.parent.glob("numpy.libs/*"))
