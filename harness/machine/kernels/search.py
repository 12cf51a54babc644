"""The search behind ``kernels=auto``: which OpenBLAS architecture multiplies matrices fastest on this machine.

Each candidate runs in a child process of its own, as OpenBLAS chooses once, when it is loaded. The answer is kept
(`kernel_cache`), so that a sweep measures once. Run as a module, this file is that child.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from harness.contract.environment import applied, threads
from harness.errors import Unavailable
from harness.machine.kernels import cache as kernel_cache
from harness.machine.kernels.openblas import CORETYPE, L2_SIZE, library

CANDIDATES: dict[str, tuple[str, ...]] = {
    "x86_64": ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"),
    "aarch64": ("NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2"),
}
"""Names worth a try by machine, besides the library's own choice; a child without the instructions just dies."""
CLEARLY_FASTER = 0.97
"""A name must take at most this share of the time that the library's own choice takes, or noise would pick it."""
ROUNDS = 2
CHILD_LIMIT = 60.0


class Timing(NamedTuple):
    """What one child found: the architecture in force and the least seconds of one product."""

    architecture: str
    seconds: float


@cache
def fastest() -> str | None:
    """Return the fastest architecture's name, ``None`` for the library's own choice; measured once, then cached."""
    known = kernel_cache.read()
    if known is None:
        known = _search()
        kernel_cache.write(known)
    name = known["fastest"]
    return None if name is None else str(name)


def _search() -> dict[str, object]:
    """Time the library's own choice and every other architecture that it takes, in rounds, and choose the best."""
    own = _time(None)
    if own is None:
        raise Unavailable("kernels='auto': a child process could not time NumPy; see that `import numpy` works")
    others = [name for name in CANDIDATES.get(platform.machine(), ()) if name.lower() != own.architecture.lower()]
    seconds = {own.architecture: own.seconds}
    for name in [*others, None] * ROUNDS:
        timing = _time(name)
        if timing is not None and name in (None, timing.architecture):
            seconds[timing.architecture] = min(seconds.get(timing.architecture, math.inf), timing.seconds)
    return {"fastest": choose(own.architecture, seconds), "own": own.architecture, "seconds": seconds}


def choose(own: str, seconds: Mapping[str, float]) -> str | None:
    """Return the name with the least time, or ``None`` where the library's own choice is about as good."""
    best = min(seconds, key=lambda name: seconds[name])
    return best if seconds[best] < CLEARLY_FASTER * seconds[own] else None


def _time(name: str | None) -> Timing | None:
    """Return a child's timing under ``name``, or ``None`` where it died: this CPU lacks what the kernels need."""
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
    print(json.dumps({"architecture": library().architecture, "seconds": _measure()}))


if __name__ == "__main__":
    _child()
