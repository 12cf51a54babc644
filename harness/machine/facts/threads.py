"""Threads: asked for by variables, delivered by each library, and counted by the system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from harness.contract.environment import THREAD_VARIABLES

ASKED_BY = {
    "openblas": ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"),
    "mkl": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "blis": ("BLIS_NUM_THREADS", "OMP_NUM_THREADS"),
    "openmp": ("OMP_NUM_THREADS",),
}
"""Where each library takes its number of threads from, the first that is set."""


def pools() -> list[dict[str, Any]]:
    """Return the thread pool of every numeric library loaded here: its version, threads and chosen architecture."""
    from threadpoolctl import threadpool_info  # noqa: PLC0415  needed once, after the clock has stopped

    return [_pool(info) for info in threadpool_info()]


def _pool(info: dict[str, Any]) -> dict[str, Any]:
    names = ("user_api", "internal_api", "version", "num_threads", "architecture", "threading_layer")
    kept = {name: info[name] for name in names if info.get(name) is not None}
    return {**kept, "library": Path(info["filepath"]).name}


def asked(pool: dict[str, Any]) -> int | None:
    """Return the threads that the environment asks of this pool; ``None`` where it asks for no number."""
    names = ASKED_BY.get(pool["internal_api"], ASKED_BY["openmp"])
    value = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return int(value) if value.isdecimal() else None


def asked_by_variables() -> dict[str, str]:
    """Return the variables that set a number of threads, as they are in force."""
    return {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}


def os_threads() -> int | None:
    """Return how many threads this process has now, by the system's count; ``None`` where it does not say."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else None
