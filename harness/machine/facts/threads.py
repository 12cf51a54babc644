"""Threads: how many the variables ask for, how many each library uses, and how many the system counts."""

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
"""The variables from which each library takes its number of threads; the first that is set counts."""


def pools() -> list[dict[str, Any]]:
    """Return the thread pool of every numeric library of this process: version, threads and chosen architecture."""
    from threadpoolctl import threadpool_info  # noqa: PLC0415  needed once, after the clock has stopped

    return [_pool(info) for info in threadpool_info()]


def _pool(info: dict[str, Any]) -> dict[str, Any]:
    names = ("user_api", "internal_api", "version", "num_threads", "architecture", "threading_layer")
    kept = {name: info[name] for name in names if info.get(name) is not None}
    return {**kept, "library": Path(info["filepath"]).name}


def asked(pool: dict[str, Any]) -> int | None:
    """Return how many threads the environment asks this pool to use; ``None`` if it asks for no number."""
    names = ASKED_BY.get(pool["internal_api"], ASKED_BY["openmp"])
    value = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return int(value) if value.isdecimal() else None


def asked_by_variables() -> dict[str, str]:
    """Return the variables that set a number of threads, with their values."""
    return {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}


def os_threads() -> int | None:
    """Return how many threads this process has now; ``None`` if the system does not say."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else None
