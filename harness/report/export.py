"""Rows for other programs: JSON, CSV and Parquet, with one record for each row and the names of ``Row.exported``."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.errors import RequestError, Unavailable
from harness.store import Stored

SCHEMA_VERSION = 1
"""The version of what ``--json`` prints: raised if a name is removed or changes its meaning, not if one is added."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
INTEGERS = ("workers", "batch", "seed", "epochs", "round", "peak_bytes", "attempt")
NUMBERS = ("rate", "started", "setup_seconds", "load_seconds", "first_epoch_seconds", "gflops", "peak_share")
SCORES = ("final_loss", "accuracy")
WORDS = ("activations", "warnings")
Record = dict[str, Any]


def records(stored: Iterable[Stored]) -> list[Record]:
    """Return one plain object for each row, with the code and the plugin that measured it and its attempt."""
    return [
        {
            **entry.row.exported(),
            "code": entry.code,
            "plugin": entry.plugin,
            "run": entry.run,
            "label": entry.label,
            "attempt": entry.attempt,
        }
        for entry in stored
    ]


def to_json(rows: Sequence[Record]) -> bytes:
    """Return a JSON list. A number that is not finite becomes null, because JSON has no NaN."""
    return (json.dumps(finite(rows), indent=1, allow_nan=False) + "\n").encode()


def finite(value: Any) -> Any:
    """Return plain data with ``None`` in place of every number that is not finite."""
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_csv(rows: Sequence[Record]) -> bytes:
    """Return CSV with a header. Lists and objects are JSON; text that a spreadsheet would run gets an apostrophe."""
    names = list(rows[0]) if rows else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_flat(record[name]) for name in names] for record in rows)
    return text.getvalue().encode()


def _flat(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return json.dumps(value, allow_nan=True) if isinstance(value, dict | list) else value


def to_parquet(rows: Sequence[Record]) -> bytes:
    """Return a Parquet file. Lists stay lists; objects become JSON, because their fields differ between backends."""
    try:
        import pyarrow as pa  # noqa: PLC0415  optional and heavy
        from pyarrow import parquet  # noqa: PLC0415  as above
    except ImportError:
        raise Unavailable("export --format parquet needs pyarrow; install with: pip install pyarrow") from None
    names = list(rows[0]) if rows else []
    try:
        columns = [pa.array([_kept(name, record[name]) for record in rows], _type(pa, name)) for name in names]
    except (pa.ArrowInvalid, OverflowError) as error:
        raise RequestError(f"a figure does not fit into Parquet ({error}); use --format json") from error
    file = io.BytesIO()
    parquet.write_table(pa.table(columns, names), file)
    return file.getvalue()


def _type(pa: Any, name: str) -> Any:
    types = {**dict.fromkeys(INTEGERS, pa.int64()), **dict.fromkeys((*NUMBERS, *SCORES), pa.float64())}
    lists = dict.fromkeys(WORDS, pa.list_(pa.string()))
    return {**types, **lists, "epoch_seconds": pa.list_(pa.float64()), "shuffle": pa.bool_()}.get(name, pa.string())


def _kept(name: str, value: Any) -> Any:
    if name in WORDS:
        return [_storable(item) for item in value]
    if isinstance(value, str):
        return _storable(value)
    return json.dumps(value) if isinstance(value, dict | list) and name != "epoch_seconds" else value


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


FORMATS = {"csv": to_csv, "json": to_json, "parquet": to_parquet}
