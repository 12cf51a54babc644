"""The plugins: how many backends can run here, which cannot and why, which do not load at all."""

from __future__ import annotations

from collections.abc import Iterator

from harness.contract.registry import Registry, missing
from harness.machine.doctor.finding import Finding


def plugins(known: Registry) -> Iterator[Finding]:
    """Yield the backends that are ready, then everything that is not."""
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
