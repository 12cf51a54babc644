"""All examinations in order. One that fails becomes a finding itself, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.contract.registry import Registry, missing, registry
from harness.errors import HarnessError
from harness.machine.doctor import libraries, system
from harness.machine.doctor.finding import Finding

Examination = Callable[[], Iterator[Finding]]


def examinations(store: Path, *, quick: bool = False) -> dict[str, Examination]:
    """Return the examinations by topic; ``quick`` leaves out those that measure matrix products."""
    known: dict[str, Examination] = {
        "load": system.quiet,  # first, before the other examinations keep the machine busy
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
    """Run the examinations in order and yield every finding at once; a ``HarnessError`` becomes a warning."""
    for topic, examination in wanted.items():
        try:
            yield from examination()
        except HarnessError as error:
            yield Finding(topic, "warning", f"could not be examined: {error}")


def plugins(known: Registry) -> Iterator[Finding]:
    """Yield which backends can run here, which cannot and why, and which plugins do not load."""
    reasons = {name: missing(spec) for name, spec in known.backends.items()}
    ready = [name for name, reason in reasons.items() if reason is None]
    if ready:
        figures = {"ready": ready}
        yield Finding("plugins", "fact", f"{len(ready)} backends ready: {', '.join(ready)}", figures=figures)
    else:
        advice = "pip install 'backprop-harness[light]'"
        yield Finding("plugins", "warning", "no backend is ready to run", advice)
    for name, reason in reasons.items():
        if reason is not None:
            cause, _, hint = reason.partition("; ")
            yield Finding("plugins", "note", f"{name} {cause}", hint)
    for fault in known.faults:
        yield Finding("plugins", "warning", f"{fault.source}: {fault.cause}", fault.step)
