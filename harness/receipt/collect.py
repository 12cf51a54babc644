"""Put a receipt together, after the clock has stopped and before the backend is closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.cell import Cell
from harness.machine import cpu_flags
from harness.receipt import software
from harness.receipt.hardware import hardware
from harness.receipt.span import Span
from harness.receipt.threads import asked_by_variables, os_threads, pools
from harness.receipt.variables import steering
from harness.registry import registry, spec

Facts = Mapping[str, str | int | float]

VECTORS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")


def collect(cell: Cell, facts: Facts, steady: Span | None = None) -> dict[str, Any]:
    """Return the receipt as plain data; ``steady`` spans the steady epochs, where the cell came that far."""
    wanted = spec(cell.backend)
    machine = hardware(device=cell.options.get("device") == "cuda")
    threads = {"asked": cell.workers, "variables": asked_by_variables(), "pools": pools(), "os_threads": os_threads()}
    return {
        "threads": threads,
        "steady": {} if steady is None else steady.figures(),
        "variables": steering(),
        "hardware": {**machine, "vectors": [name for name in VECTORS if name in cpu_flags()]},
        "python": {**software.python(), "named": cell.python is not None},
        "libraries": software.libraries(wanted.requires),
        "origin": software.origin(registry().sources.get(cell.backend)),
        "backend": dict(facts),
    }
