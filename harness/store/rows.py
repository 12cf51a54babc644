"""Convert ``Row`` and ``Cell`` to the columns of the store and back, without loss."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping
from typing import Any

from harness.plan.cell import Cell
from harness.runner.row import Row

TEXTS = ("state", "reason", "stderr")
FIGURES = (
    "started",
    "setup_seconds",
    "load_seconds",
    "first_epoch_seconds",
    "gflops",
    "peak_share",
    "final_loss",
    "accuracy",
)
LISTS = ("epoch_seconds", "history", "warnings")
COLUMNS = ("round", "machine", *TEXTS, *FIGURES, "peak_bytes", *LISTS, "receipt")
"""The fields of a ``Row`` except its cell. A field and its column have the same name."""


def to_columns(row: Row) -> dict[str, str | int | float | None]:
    """Return the fields of a row, except its cell, as SQLite stores them."""
    values: dict[str, Any] = {name: getattr(row, name) for name in COLUMNS}
    return {
        **values,
        **{name: _without_nan(values[name]) for name in FIGURES},
        **{name: json.dumps(list(map(_plain, values[name]))) for name in LISTS},
        "receipt": json.dumps(dict(row.receipt)),
    }


def from_columns(record: sqlite3.Row, cell: Cell) -> Row:
    """Return the row from the columns that ``to_columns`` made of it."""
    values: dict[str, Any] = {name: record[name] for name in COLUMNS}
    values.update({name: _with_nan(values[name]) for name in FIGURES})
    values.update({name: tuple(json.loads(values[name])) for name in LISTS})
    return Row(cell=cell, **{**values, "receipt": json.loads(values["receipt"])})


def to_cell(stored: str, study: str) -> Cell:
    """Return a stored cell as a cell of ``study``."""
    return Cell.from_json({**json.loads(stored), "study": study})


def storable(value: Any) -> Any:
    """Escape what UTF-8 cannot encode, such as half a character in the output of a worker."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _plain(entry: Any) -> Any:
    return dict(entry) if isinstance(entry, Mapping) else entry


def _without_nan(value: float | None) -> float | str | None:
    return "nan" if value is not None and math.isnan(value) else value


def _with_nan(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, str) else value
