"""All examinations in order; one that fails is a finding itself and ends no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.contract.registry import registry
from harness.errors import HarnessError
from harness.machine.doctor import libraries, system
from harness.machine.doctor.finding import Finding
from harness.machine.doctor.plugins import plugins

Examination = Callable[[], Iterator[Finding]]


def examinations(store: Path, *, quick: bool = False) -> dict[str, Examination]:
    """Return the examinations by topic; ``quick`` leaves out those that measure matrix products."""
    known: dict[str, Examination] = {
        "load": system.quiet,  # first, before we make noise ourselves
        "cores": system.cores_found,
        "frequency": system.frequency,
        "clock": system.clock,
        "python": system.interpreter,
        "gpu": system.graphics,
        "disk": lambda: system.disk(store),
        "pools": libraries.pools,
        "plugins": lambda: plugins(registry()),
    }
    return known if quick else {**known, "blas": libraries.kernels, "peak": libraries.limits}


def examine(wanted: dict[str, Examination]) -> Iterator[Finding]:
    """Yield every finding as soon as it is there."""
    for topic, examination in wanted.items():
        try:
            yield from examination()
        except HarnessError as error:
            yield Finding(topic, "warning", f"could not be examined: {error}")
