"""This machine: its identity, its cores, and how many of them this process may use. Loads no NumPy."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROC, CGROUP, TOPOLOGY = Path("/proc"), Path("/sys/fs/cgroup"), Path("/sys/devices/system/cpu")


@cache
def identity() -> str:
    """Return a short name of the machine; rows with equal names may be compared as times.

    It is made of the CPU's model, the number of cores that may be used, and a digest that tells machines apart. The
    digest comes from the system's machine id, or from the host's name if there is none. Neither can be read back from
    the name, so a store may be given to others.
    """
    parts = (cpu_model(), platform.machine(), str(os.cpu_count()), _machine_id() or platform.node())
    digest = hashlib.sha256("\n".join((*parts, str(cores()))).encode()).hexdigest()[:8]
    return f"{_slug(cpu_model())}-{cores()}c-{digest}"


def cores() -> int:
    """Return how many CPUs this process may keep busy: those of its affinity, at most as many as the quota allows."""
    quota = cpu_quota()
    allowed = len(affinity())
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def affinity() -> list[int]:
    """Return the CPUs that this process may run on, sorted."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def threads_of_core(cpu: int) -> list[int]:
    """Return the sorted CPUs that share a core with ``cpu``; only ``[cpu]`` if the topology is unknown."""
    return sorted(_listed(text(TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu)))


def _listed(numbers: str) -> Iterator[int]:
    """Yield the numbers of a kernel list such as ``0-1,8``."""
    for part in filter(None, numbers.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def cpu_quota() -> float | None:
    """Return how many CPUs this process's cgroups allow, the least of all levels; ``None`` if there is no quota."""
    quotas = [quota for folder in cgroup_folders() if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def cgroup_folders() -> list[Path]:
    """Return the folders with the CPU settings of this process's cgroups (version 1 and 2), innermost first."""
    folders: list[Path] = []
    for line in (text(PROC / "self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "cpu" in controllers.split(","):
            base = CGROUP / "cpu" if controllers else CGROUP
            inside = base / path.lstrip("/")
            levels = [inside, *inside.parents]
            folders += levels[: levels.index(base) + 1] if base in levels else [base]
    return [folder for folder in folders if folder.is_dir()]


def _quota(folder: Path) -> float | None:
    """Return the quota of one cgroup in CPUs, or ``None``.

    Version 2 has the file ``cpu.max`` with ``quota period``. Version 1 has one file for each, and -1 means no quota.
    """
    both = text(folder / "cpu.max")
    if both is None:
        both = f"{text(folder / 'cpu.cfs_quota_us') or ''} {text(folder / 'cpu.cfs_period_us') or ''}"
    words = both.split()
    if len(words) != 2 or not all(word.isdecimal() for word in words) or int(words[1]) == 0:
        return None
    return int(words[0]) / int(words[1])


@cache
def cpu_model() -> str:
    """Return the CPU's name as the system gives it, or the architecture if the system gives no name."""
    listed = text(PROC / "cpuinfo") or ""
    model = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", listed, re.MULTILINE)
    return model[1].strip() if model else platform.processor() or platform.machine()


@cache
def cpu_flags() -> frozenset[str]:
    """Return the names of the CPU's instruction sets; empty if the system does not list them."""
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text(PROC / "cpuinfo") or "", re.MULTILINE)
    return frozenset(flags[1].split()) if flags else frozenset()


@cache
def memory_gib() -> int:
    """Return the machine's memory in whole GiB; 0 if the system does not say."""
    total = re.search(r"^MemTotal:\s+(\d+) kB", text(PROC / "meminfo") or "", re.MULTILINE)
    return round(int(total[1]) / 2**20) if total else 0


def text(path: Path) -> str | None:
    """Return the text of a system's file, or ``None`` if the file does not exist or cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def _machine_id() -> str:
    return text(Path("/etc/machine-id")) or ""


def _slug(name: str) -> str:
    """Shorten a CPU's name to words: ``AMD EPYC 9754 128-Core Processor`` becomes ``amd-epyc-9754``."""
    plain = re.sub(r"\(\w+\)|@.*|\b(\d+-core|processor|cpu|with .*)\b", " ", name.lower())
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:32].strip("-") or "cpu"
