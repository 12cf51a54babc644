"""Rows for other programs: JSON, CSV and Parquet. One record a row, with the names that ``Row.exported`` promises."""

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
"""Of what ``--json`` prints: raised when a name goes or changes its meaning, not when one is added."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
INTEGERS = ("workers", "batch", "seed", "epochs", "round", "peak_bytes", "attempt")
NUMBERS = ("rate", "started", "setup_seconds", "load_seconds", "first_epoch_seconds", "gflops", "peak_share")
SCORES = ("final_loss", "accuracy")
WORDS = ("activations", "warnings")
Record = dict[str, Any]


def records(stored: Iterable[Stored]) -> list[Record]:
    """Return one plain object a row, with the code and the plugin that measured it and the number of the attempt."""
    return [
        {
            **one.row.exported(),
            "code": one.code,
            "plugin": one.plugin,
            "run": one.run,
            "label": one.label,
            "attempt": one.attempt,
        }
        for one in stored
    ]


def to_json(found: Sequence[Record]) -> bytes:
    """Return a JSON list; what is not finite is null, because JSON knows no NaN, and the row's state says it."""
    return (json.dumps(finite(found), indent=1, allow_nan=False) + "\n").encode()


def finite(value: Any) -> Any:
    """Return plain data with ``None`` in place of every number that is not finite."""
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_csv(found: Sequence[Record]) -> bytes:
    """Return CSV with a header; lists and objects are JSON, and what a spreadsheet would run gets an apostrophe."""
    names = list(found[0]) if found else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_flat(record[name]) for name in names] for record in found)
    return text.getvalue().encode()


def _flat(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return json.dumps(value, allow_nan=True) if isinstance(value, dict | list) else value


def to_parquet(found: Sequence[Record]) -> bytes:
    """Return a Parquet file: lists of numbers and words as such, objects as JSON, whose fields differ by backend."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  optional and heavy
        from pyarrow import parquet  # noqa: PLC0415  as above
    except ImportError:
        raise Unavailable("export --format parquet needs pyarrow; install with: pip install pyarrow") from None
    names = list(found[0]) if found else []
    try:
        columns = [pa.array([_kept(name, record[name]) for record in found], _type(pa, name)) for name in names]
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
