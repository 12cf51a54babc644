"""Cells and rows to store and to show, complete and cheap."""

from __future__ import annotations

from typing import Any

from harness.contract.network import Network
from harness.plan.cell import Cell
from harness.runner.row import Row
from harness.store import Run


def a_cell(**changes: Any) -> Cell:
    base: dict[str, Any] = {
        "study": "quick",
        "backend": "blas",
        "options": {"kernels": "auto"},
        "workers": 1,
        "batch": 32,
        "network": Network.dense([64, 32, 10]),
        "dataset": "digits",
        "rate": 0.1,
        "seed": 0,
        "init": "glorot_uniform",
        "epochs": 3,
        "time_limit": 60.0,
    }
    return Cell(**{**base, **changes})


def a_row(cell: Cell | None = None, turn: int = 1, **changes: Any) -> Row:
    base: dict[str, Any] = {
        "machine": "box-1",
        "state": "ok",
        "started": 1_700_000_000.5,
        "setup_seconds": 0.1,
        "load_seconds": 0.01,
        "first_epoch_seconds": 0.2,
        "epoch_seconds": (0.1, 0.11, 0.1),
        "gflops": 12.5,
        "peak_share": 0.5,
        "final_loss": 0.3,
        "accuracy": 0.9,
        "peak_bytes": 100_000_000,
        "history": ({"epoch": 1.0, "loss": 0.5},),
        "warnings": ("asked for 2 threads, got 1",),
        "receipt": {"threads": {"asked": 2}, "cpu": "a processor"},
    }
    return Row(cell=cell or a_cell(), round=turn, **{**base, **changes})


def a_lost_row(cell: Cell | None = None, turn: int = 1, **changes: Any) -> Row:
    """Return a row of a cell that ended before anything was measured."""
    return Row(
        cell=cell or a_cell(),
        round=turn,
        machine="box-1",
        **{"state": "crashed", "reason": "ended by signal 11", **changes},
    )


def a_run(**changes: Any) -> Run:
    return Run(**{"study": "quick", "machine": "box-1", "code": "1+abc", "plugins": {"blas": "blas 1"}, **changes})
