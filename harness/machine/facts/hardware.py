"""The machine, for the receipt: CPU, memory, GPU, and how much of it this process may use."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from typing import Any

from harness.machine.cores import PROC, affinity, cores, cpu_model, cpu_quota, memory_gib, text

PATIENCE = 3.0
"""Seconds that ``nvidia-smi`` may take. It is started only if the driver's own files say nothing."""


def hardware(*, device: bool) -> dict[str, Any]:
    """Return the facts of this machine by name; ``device`` says that the cell ran on a GPU, which is then named."""
    return {
        "cpu": cpu_model(),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "cpus": os.cpu_count(),
        "usable_cores": cores(),
        "affinity": affinity(),
        "cpu_quota": cpu_quota(),
        "memory_gib": memory_gib(),
        "load": list(os.getloadavg()),
        "gpus": gpus(ask=device),
    }


def gpus(*, ask: bool) -> list[str]:
    """Return the names of the NVIDIA GPUs from the driver's files, else from ``nvidia-smi`` if ``ask``."""
    folders = sorted((PROC / "driver/nvidia/gpus").glob("*/information"))
    names = [match[1].strip() for path in folders if (match := re.search(r"Model:\s*(.+)", text(path) or ""))]
    return names or (_asked() if ask else [])


def _asked() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    words = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
