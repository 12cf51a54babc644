"""Put a receipt together, after the clock has stopped and before the backend is closed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from harness.contract.registry import registry
from harness.machine.cores import cpu_flags
from harness.machine.facts import software
from harness.machine.facts.hardware import hardware
from harness.machine.facts.span import Span
from harness.machine.facts.threads import asked_by_variables, os_threads, pools
from harness.machine.facts.variables import steering
from harness.plan.cell import Cell

Facts = Mapping[str, str | int | float]

VECTORS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")


def collect(cell: Cell, facts: Facts, steady: Span | None = None) -> dict[str, Any]:
    """Return the receipt as plain data; ``steady`` spans the steady epochs, where the cell came that far."""
    known = registry()
    wanted = known.backends.get(cell.backend)
    machine = hardware(device=cell.options.get("device") == "cuda")
    threads = {"asked": cell.workers, "variables": asked_by_variables(), "pools": pools(), "os_threads": os_threads()}
    return {
        "threads": threads,
        "steady": {} if steady is None else steady.figures(),
        "variables": steering(),
        "hardware": {**machine, "vectors": [name for name in VECTORS if name in cpu_flags()]},
        "python": {**software.python(), "named": cell.python is not None},
        "libraries": software.libraries(wanted.requires if wanted else ()),
        "origin": software.origin(known.sources.get(cell.backend)),
        "backend": {str(name): _plain(value) for name, value in facts.items()},
    }


def _plain(value: object) -> str | int | float:
    """A backend may hand out numbers of NumPy or of its framework; a receipt is JSON."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    return str(value)
