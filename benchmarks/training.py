"""Train one combination in a process of its own, as the runner would start a cell of it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks.combinations import rows
from benchmarks.places import module

HERE = Path(__file__).parent
SAMPLES = 5
"""Timed epochs a process. With two rounds that is 10 a side: enough for asv's test to be able to say anything."""
ROUNDS = 2
SECONDS = 150.0
"""For the whole process, below asv's own limit."""
TIMEOUT = 180
OURS = "backprop-harness"


@dataclass(frozen=True)
class Task:
    """What one process trains."""

    backend: str
    net: str
    batch: int
    workers: int
    rows: int
    epochs: int = SAMPLES
    rate: float = 0.1
    digits: bool = False
    """Train on the digits and tell the error rate, in place of random rows."""

    @property
    def sizes(self) -> list[int]:
        """The widths of the layers, inputs first."""
        return [int(size) for size in self.net.split("-")]

    def request(self) -> dict[str, Any]:
        """Return what ``child.py`` wants to know."""
        kept = ("backend", "batch", "workers", "rows", "epochs", "rate", "digits")
        named = {name: getattr(self, name) for name in kept}
        return {**named, "sizes": self.sizes, "evaluate": self.digits}


@dataclass(frozen=True)
class Trained:
    """What came of it."""

    seconds: list[float]
    """One ``train_epoch`` and ``sync`` each, by the child's own clock."""
    error_rate: float | None
    peak_bytes: int | None
    """Largest resident memory of all its processes together."""


def version(*modules: str) -> str:
    """Return asv's version of a benchmark: another one wherever the code that measures says something else."""
    trees = (ast.dump(ast.parse((HERE / f"{name}.py").read_text())) for name in ("child", "combinations", *modules))
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()[:16]


def task(backend: str, net: str, batch: int, workers: int, **more: Any) -> Task:
    """Return the task of a combination; one that is far too slow is n/a."""
    wanted = rows(backend, net, batch)
    if wanted is None:
        raise SkipNotImplemented(f"{backend} is too slow on {net}")
    return Task(backend, net, batch, workers, wanted, **more)


def train(wanted: Task) -> Trained:
    """Run one task; a backend that this commit lacks, or that cannot run here, is n/a, anything else a failure."""
    start = _start(wanted)
    ended = module("harness.machine.process").run(start)
    if ended.message is None:
        raise RuntimeError(f"{wanted}: {ended.state} {ended.reason or ended.exit_code}\n{ended.stderr}")
    if "refused" in ended.message:
        raise SkipNotImplemented(ended.message["refused"])
    return Trained(ended.message["seconds"], ended.message.get("error_rate"), ended.peak_bytes)


def _start(wanted: Task) -> Any:
    """Return how to start the child: the backend's environment, its launcher and its CPUs."""
    try:
        from harness.errors import Unavailable, Unsupported

        launch, process = module("harness.machine.launch").launch, module("harness.machine.process")
    except ImportError as error:
        raise SkipNotImplemented(f"this commit cannot start a cell: {error}") from None
    described = _spec(wanted.backend)
    options = {name: values[0] for name, values in described.options.items()}
    how = _refusable(lambda: launch(described, wanted.workers, options), (Unavailable, Unsupported))
    return process.Start(
        module="child",
        request=wanted.request(),
        environment={**how.environment, "PYTHONPATH": str(HERE)},
        limits=process.Limits(SECONDS),
        words=how.words,
        cpus=how.cpus,
    )


def _refusable(action: Callable[[], Any], refusals: tuple[type[Exception], ...]) -> Any:
    try:
        return action()
    except refusals as refusal:
        raise SkipNotImplemented(str(refusal)) from None


def _spec(name: str) -> Any:
    """Return a backend's description. It is missing with a plugin of ours in trouble: that is a failure, not n/a."""
    registry = module("harness.contract.registry")
    known = registry.registry()
    if name not in known.backends:
        faults = getattr(known, "faults", ())  # of another name at earlier commits, where they pass as n/a
        broken = [fault for fault in faults if fault.source.distribution.startswith(OURS) and not fault.warning]
        if broken:
            raise RuntimeError(f"no backend {name!r}, and: {'; '.join(map(str, broken))}")
        raise SkipNotImplemented(f"this commit has no backend {name!r}")
    reason = registry.missing(known.backends[name])
    if reason:
        raise SkipNotImplemented(f"{name} {reason}")
    return known.backends[name]
