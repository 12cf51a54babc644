"""``Row``: what the runner hands to the store, one cell and round with its end state, figures and receipt."""

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
"""Every row ends in exactly one of these; details go to ``reason``."""

FINE: frozenset[str] = frozenset({"ok", "unsupported", "unavailable"})
"""States that do not make a run fall short."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell in one round. Figures are ``None`` where the cell did not get that far."""

    cell: Cell
    round: int
    machine: str
    """Short identity of the machine, the same for all rows that may be compared as times."""
    state: State
    reason: str = ""
    started: float = 0.0
    """Seconds since 1970 when the worker was started."""
    setup_seconds: float | None = None
    """Import and construction of the backend."""
    load_seconds: float | None = None
    first_epoch_seconds: float | None = None
    """The first ``train_epoch`` and ``sync``, compilation included."""
    epoch_seconds: tuple[float, ...] = ()
    """Raw samples: one steady ``train_epoch`` and ``sync`` each, in order."""
    gflops: float | None = None
    """By the formula of the papers, at the median epoch; in units of 1e9 operations a second."""
    peak_share: float | None = None
    """``gflops`` over the physical limit of this machine at the same threads and dtype, measured in the same run."""
    final_loss: float | None = None
    accuracy: float | None = None
    peak_bytes: int | None = None
    """Largest resident memory of all the cell's processes together up to the last steady epoch, with parity's copies
    of the weights around timed samples, without what evaluation and judging need. Where training did not end, and under
    a launcher, that of the whole process."""
    history: tuple[Mapping[str, float], ...] = ()
    """Per epoch ``{"epoch", "loss", "accuracy", "seconds"}`` where the cell asked for it."""
    warnings: tuple[str, ...] = ()
    """Mismatches between what was asked and what ran, one sentence each."""
    receipt: Mapping[str, Any] = field(default_factory=dict)
    stderr: str = ""
    """The last lines of the worker's standard error, where it did not end well."""

    def exported(self) -> dict[str, Any]:
        """Return one flat JSON object with the names that ``harness export`` promises."""
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
