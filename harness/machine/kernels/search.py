"""The search behind ``kernels=auto``: which OpenBLAS architecture multiplies matrices fastest on this machine.

Each candidate runs in a child process of its own, because OpenBLAS chooses once, when it is loaded. The answer is kept
in one small file for each machine and library in the XDG cache folder, so that a sweep measures once. Run as a module,
this file is that child.
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
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.contract.environment import applied, threads
from harness.contract.folders import cache_folder, whole_file
from harness.errors import Unavailable
from harness.machine.kernels.openblas import CORETYPE, L2_SIZE, library

CANDIDATES: dict[str, tuple[str, ...]] = {
    "x86_64": ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"),
    "aarch64": ("NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2"),
}
"""Architectures to try on each kind of machine, besides the library's own choice. A child whose CPU lacks the
instructions ends with an error, and its candidate does not count."""
CLEARLY_FASTER = 0.97
"""The largest share of the time of the library's own choice that another architecture may take to be chosen. With a
larger share, noise would choose."""
ROUNDS = 2
"""How often every architecture is timed."""
CHILD_LIMIT = 60.0
"""Seconds that one child may take."""


class Timing(NamedTuple):
    """What one child measured: the architecture in force, and the least seconds of one product."""

    architecture: str
    seconds: float


@cache
def fastest() -> str | None:
    """Return the name of the fastest architecture, or ``None`` for the library's own choice.

    It is measured once and then read from the cache. Raise ``Unavailable`` if NumPy cannot be timed at all.
    """
    known = read_answer()
    if known is None:
        known = _search()
        write_answer(known)
    name = known["fastest"]
    return None if name is None else str(name)


def _search() -> dict[str, object]:
    """Time the library's own choice and every other candidate in interleaved rounds; return what the cache keeps."""
    own = _time(None)
    if own is None:
        raise Unavailable("kernels='auto': a child process could not time NumPy; check that `import numpy` works")
    others = [name for name in CANDIDATES.get(platform.machine(), ()) if name.lower() != own.architecture.lower()]
    seconds = {own.architecture: own.seconds}
    for name in [*others, None] * ROUNDS:
        timing = _time(name)
        if timing is not None and name in (None, timing.architecture):
            seconds[timing.architecture] = min(seconds.get(timing.architecture, math.inf), timing.seconds)
    return {"fastest": choose(own.architecture, seconds), "own": own.architecture, "seconds": seconds}


def choose(own: str, seconds: Mapping[str, float]) -> str | None:
    """Return the architecture with the least time, or ``None`` if the library's ``own`` choice is about as good."""
    best = min(seconds, key=lambda name: seconds[name])
    return best if seconds[best] < CLEARLY_FASTER * seconds[own] else None


def _time(name: str | None) -> Timing | None:
    """Return a child's timing under ``name``, or ``None`` if it failed: this CPU lacks what the kernels need."""
    variables = {**threads(1), CORETYPE: name, L2_SIZE: None}
    command = [sys.executable, "-P", "-m", "harness.machine.kernels.search"]
    try:
        child = subprocess.run(
            command,
            env=applied(os.environ, variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHILD_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return None if child.returncode else Timing(**json.loads(child.stdout))


def _measure(products: int = 40) -> float:
    """Return the least seconds of one product: the papers' first layer at batch 128 in float32."""
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
    print(json.dumps({"architecture": library().architecture, "seconds": _measure()}))


# Where the answer is kept.


def read_answer() -> dict[str, object] | None:
    """Return the answer of an earlier search, or ``None`` if there is none that can be read."""
    try:
        known = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    sound = isinstance(known, dict) and isinstance(known.get("fastest", 0), str | None)
    return known if sound else None


def write_answer(known: dict[str, object]) -> None:
    """Write the answer in one step; print a warning if that fails, and then the next process measures again."""
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
    """Return model and flags of the first CPU, as far as the system tells them."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else [platform.processor()]
    wanted = ("model name", "flags", "Features", "CPU part")
    return list(dict.fromkeys(line for line in lines if line.startswith(wanted))) or lines[:1]


def _libraries() -> Iterator[str]:
    """Yield NumPy's folder and the files of the BLAS beside it, whose names hold a digest of their content."""
    spec = importlib.util.find_spec("numpy")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    yield str(package)
    yield from sorted(path.name for path in package.parent.glob("numpy.libs/*"))


if __name__ == "__main__":
    _child()
