"""``Row``: one cell in one round with its state, figures and receipt; the runner hands it to the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.plan.cell import Cell

State = Literal[
    "ok",
    "unsupported",
    "unavailable",
    "timeout",
    "out-of-memory",
    "crashed",
    "error",
    "diverged",
    "wrong",
    "interrupted",
]
"""Every row has exactly one of these states; details are in ``reason``."""

FINE: frozenset[str] = frozenset({"ok", "unsupported", "unavailable"})
"""States that a run may end with and still exit with 0."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell in one round. A figure is ``None`` if the cell ended before it was measured."""

    cell: Cell
    round: int
    machine: str
    """Short name of the machine. Rows with the same name may be compared as times."""
    state: State
    reason: str = ""
    started: float = 0.0
    """Seconds since 1970 when the worker was started."""
    setup_seconds: float | None = None
    """Import and construction of the backend."""
    load_seconds: float | None = None
    """``load`` of the training set."""
    first_epoch_seconds: float | None = None
    """The first ``train_epoch`` and ``sync``, compilation included."""
    epoch_seconds: tuple[float, ...] = ()
    """Raw samples in order: each is one ``train_epoch`` and ``sync`` after the first."""
    gflops: float | None = None
    """At the median epoch, by the formula of the papers, in 1e9 operations a second."""
    peak_share: float | None = None
    """``gflops`` divided by the limit of this machine for the same threads and dtype, measured in the same run."""
    final_loss: float | None = None
    accuracy: float | None = None
    peak_bytes: int | None = None
    """Largest resident memory of all the cell's processes together until the last steady epoch. Parity's copies of the
    weights around timed samples are included, the memory for evaluation and comparison is not. If training did not end,
    or under a launcher, the largest memory of the whole process."""
    history: tuple[Mapping[str, float], ...] = ()
    """For each epoch ``{"epoch", "loss", "accuracy", "seconds"}``, if the cell asked for it."""
    warnings: tuple[str, ...] = ()
    """Differences between what was asked and what ran, one sentence each."""
    receipt: Mapping[str, Any] = field(default_factory=dict)
    stderr: str = ""
    """The last lines of the worker's standard error, if the state is not ``ok``, ``unsupported`` or ``unavailable``."""

    def exported(self) -> dict[str, Any]:
        """Return one flat object of plain data with the names that ``harness export`` promises."""
        cell = self.cell
        names = ("state", "reason", "started", "setup_seconds", "load_seconds", "first_epoch_seconds", "gflops")
        figures = ("peak_share", "final_loss", "accuracy", "peak_bytes", "stderr")
        return {
            "study": cell.study,
            "machine": self.machine,
            "backend": cell.backend,
            "options": dict(cell.options),
            "workers": cell.workers,
            "batch": cell.batch,
            "network": "-".join(map(str, cell.network.sizes)),
            "activations": [layer.activation for layer in cell.network.layers],
            "loss": cell.network.loss,
            "dataset": cell.dataset,
            "dataset_options": dict(cell.dataset_options),
            "dtype": cell.network.dtype,
            "rate": cell.rate,
            "seed": cell.seed,
            "init": cell.init,
            "shuffle": cell.shuffle,
            "epochs": cell.epochs,
            "round": self.round,
            "cell": cell.key,
            **{name: getattr(self, name) for name in (*names, *figures)},
            "epoch_seconds": list(self.epoch_seconds),
            "history": [dict(entry) for entry in self.history],
            "warnings": list(self.warnings),
            "receipt": dict(self.receipt),
        }
