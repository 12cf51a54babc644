"""From a receipt to warnings: where what ran is not what was asked for, one sentence each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contract.vocabulary import Algebra
from harness.machine.facts.span import LONG_ENOUGH
from harness.machine.facts.threads import asked
from harness.plan.cell import Cell

STEAL = 0.02
THROTTLED = 0.01
WAITING = 0.05
OTHERS = 0.2
"""Shares of stolen, throttled and waiting time, and cores of other processes, that still count as quiet."""

BEFORE_AVX2 = frozenset(
    "Prescott Core2 Penryn Dunnington Atom Nehalem Sandybridge Opteron Barcelona Bobcat Bulldozer Piledriver "
    "Steamroller Katmai Coppermine Northwood Banias Athlon Nano Generic".lower().split()
)
BEFORE_AVX512 = BEFORE_AVX2 | {"haswell", "zen", "excavator"}
"""Architectures of OpenBLAS and BLIS whose kernels use narrower vectors than these instruction sets have."""


def mismatches(cell: Cell, algebra: Algebra, receipt: Mapping[str, Any], *, launched: bool) -> list[str]:
    """Return the warnings; ``launched`` says that a launcher spread the workers over ranks, of which this is one."""
    found = [*_threads(cell, receipt, launched=launched), *_architecture(algebra, receipt), *_disturbances(receipt)]
    return list(dict.fromkeys([*found, *_cores(cell, receipt, launched=launched, disturbed=_disturbed(receipt))]))


def _threads(cell: Cell, receipt: Mapping[str, Any], *, launched: bool) -> Iterator[str]:
    for pool in receipt["threads"]["pools"]:
        wanted = asked(pool)
        if wanted is not None and pool["num_threads"] != wanted:
            yield f"{pool['internal_api']} runs {pool['num_threads']} threads, the environment asks for {wanted}"
    told = receipt["backend"].get("threads")
    if isinstance(told, int) and told != cell.workers and not launched:
        yield f"the backend says that it runs {_counted(told, 'thread')}, the cell asks for {cell.workers}"
    usable = receipt["hardware"]["usable_cores"]
    if cell.workers > usable and not launched:
        yield f"{cell.workers} workers share {_counted(usable, 'core')}"


def _architecture(algebra: Algebra, receipt: Mapping[str, Any]) -> Iterator[str]:
    """Look at the libraries that do the backend's work: NumPy's own is loaded by all and used by few."""
    flags = set(receipt["hardware"]["vectors"])
    weak = BEFORE_AVX512 if "avx512f" in flags else BEFORE_AVX2 if "avx2" in flags else frozenset()
    best = "AVX-512" if "avx512f" in flags else "AVX2"
    chosen = receipt["variables"].get("OPENBLAS_CORETYPE")
    for pool in receipt["threads"]["pools"]:
        works = algebra == "blas" or (algebra == "library" and "scipy_openblas" not in pool["library"])
        if works and str(pool.get("architecture", "")).lower() in weak:
            why = f"OPENBLAS_CORETYPE={chosen} is set" if chosen else "the library is old or does not know this CPU"
            yield f"{pool['internal_api']} runs {pool['architecture']} kernels on a CPU with {best}: {why}"


def _cores(cell: Cell, receipt: Mapping[str, Any], *, launched: bool, disturbed: bool) -> Iterator[str]:
    steady, workers = receipt["steady"], 1 if launched else cell.workers
    known = steady["effective_cores"] is not None and steady["seconds"] >= LONG_ENOUGH / 10
    if not known or cell.options.get("device") == "cuda":
        return
    busy, usable = steady["effective_cores"], receipt["hardware"]["usable_cores"]
    if busy > workers + max(0.25, 0.15 * workers):
        yield f"{busy:.2f} cores were busy for {_counted(workers, 'worker')}: a library runs threads of its own"
    if workers > 1 and busy < 0.6 * min(workers, usable) and not disturbed:
        yield f"only {busy:.2f} cores were busy for {workers} workers"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _disturbances(receipt: Mapping[str, Any]) -> Iterator[str]:
    steady = receipt["steady"]
    if steady.get("steal_share", 0.0) > STEAL:
        yield f"the hypervisor took {steady['steal_share']:.0%} of the CPU time during the steady epochs"
    if steady.get("throttled_seconds", 0.0) > THROTTLED * steady["seconds"]:
        yield f"the cgroup's quota held the cell back for {steady['throttled_seconds']:.2f} s of its steady epochs"
    if steady.get("waiting_share", 0.0) > WAITING:
        yield f"the main thread waited for a CPU during {steady['waiting_share']:.0%} of the steady epochs"
    if _crowded(receipt):
        others, cpus = steady["other_cores"], receipt["hardware"]["cpus"]
        yield f"other processes kept {others:.1f} of {cpus} CPUs busy during the steady epochs"


def _crowded(receipt: Mapping[str, Any]) -> bool:
    """Return whether other processes left this one no idle CPU, so that it had to wait for its own."""
    steady, cpus = receipt["steady"], receipt["hardware"]["cpus"] or 1
    others, own = steady.get("other_cores", 0.0), steady["effective_cores"] or 0.0
    return bool(others > OTHERS and others + own > cpus - 0.1)


def _disturbed(receipt: Mapping[str, Any]) -> bool:
    """Return whether the cell could not have been busier than it was."""
    return _crowded(receipt) or receipt["steady"].get("waiting_share", 0.0) > WAITING
