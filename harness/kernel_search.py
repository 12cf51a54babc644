"""The search behind ``kernels=auto``: which OpenBLAS architecture multiplies matrices fastest on this machine.

Each candidate runs in a child process of its own, as OpenBLAS chooses once, when it is loaded. The answer is kept in
the XDG cache folder by machine and library, so that a sweep measures once. Run as a module, this file is that child.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from harness.environment import applied, threads
from harness.kernels import CORETYPE, L2_SIZE

CANDIDATES: dict[str, tuple[str, ...]] = {
    "x86_64": ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"),
    "aarch64": ("NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2"),
}
"""Names worth a try by machine, besides the library's own choice; one whose instructions are missing just dies."""
CLEARLY_FASTER = 0.97
"""A name must take at most this share of the time that the library's own choice takes, or noise would pick it."""
ROUNDS = 2
CHILD_LIMIT = 60.0


@cache
def fastest() -> str | None:
    """Return the fastest architecture's name, ``None`` for the library's own choice; measured once, then cached."""
    path = cache_folder() / f"blas-kernels-{_fingerprint()}.json"
    known = _read(path)
    if known is None:
        known = _search()
        _write(path, known)
    name = known["fastest"]
    return None if name is None else str(name)


def cache_folder() -> Path:
    """Return the harness's cache folder by the XDG rule; a relative ``XDG_CACHE_HOME`` is ignored."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "backprop-harness"


def _search() -> dict[str, object]:
    """Time every candidate, in rounds, and choose the best; a failed child leaves its candidate out."""
    names: list[str | None] = [None, *CANDIDATES.get(platform.machine(), ())]
    seconds: dict[str | None, float] = {}
    for name in names * ROUNDS:
        seconds[name] = min(seconds.get(name, math.inf), _seconds(name))
    return {"fastest": choose(seconds), "seconds": {str(name): value for name, value in seconds.items()}}


def choose(seconds: dict[str | None, float]) -> str | None:
    """Return the name with the least time, or ``None`` where the library's own choice, ``None``, is as good."""
    best = min(seconds, key=lambda name: seconds[name])
    return best if seconds[best] < CLEARLY_FASTER * seconds[None] else None


def _seconds(name: str | None) -> float:
    """Return a child's time under ``name``; infinite where it died or the library did not take the name."""
    variables = {**threads(1), CORETYPE: name, L2_SIZE: None}
    command = [sys.executable, "-P", "-m", "harness.kernel_search"]
    child = subprocess.run(
        command,
        env=applied(os.environ, variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CHILD_LIMIT,
        check=False,
    )
    if child.returncode:
        return math.inf
    measured = json.loads(child.stdout)
    taken = name is None or measured["architecture"].lower() == name.lower()
    return float(measured["seconds"]) if taken else math.inf


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


def _read(path: Path) -> dict[str, object] | None:
    """Return what an earlier search found; anything unreadable counts as nothing, and is measured again."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    sound = isinstance(known, dict) and isinstance(known.get("fastest", 0), str | None)
    return known if sound else None


def _write(path: Path, known: dict[str, object]) -> None:
    """Put the answer in place in one step; where the folder cannot be written, the next process measures again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file)
        Path(name).replace(path)
    except OSError as error:
        print(f"warning: {path} cannot be written ({error}); kernels=auto measures in every process", file=sys.stderr)


def _measure(products: int = 40) -> float:
    """Return the least seconds of one product of the papers' first layer at batch 128, float32."""
    import numpy as np  # noqa: PLC0415  the parent that searches loads no NumPy

    a, b = np.ones((128, 784), np.float32), np.ones((784, 1024), np.float32)
    out = np.empty((128, 1024), np.float32)
    best = math.inf
    for _ in range(products):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        best = min(best, time.perf_counter() - start)
    return best


def _child() -> None:
    from harness.kernels import library  # noqa: PLC0415  loads NumPy

    print(json.dumps({"architecture": library().architecture, "seconds": _measure()}))


if __name__ == "__main__":
    _child()
