"""KDD Cup 1999: network connections of 41 features, normal or an attack. One row a line, comma-separated.

S. Hettich and S. D. Bay, The UCI KDD Archive, 1999. Three features are symbols, fifteen are shares from 0 to 1, the
others are counts over up to nine orders of magnitude, so they are scaled by their logarithm.
"""

from __future__ import annotations

import numpy as np

from harness.contract.arrays import Array
from harness.datasets.data import Data, Shape, parted, rows_of_part
from harness.datasets.files import located
from harness.datasets.kddcup99_table import FEATURES, SYMBOLS, Table, read_table, verify_table
from harness.datasets.remote import RemoteFile

ROWS = {"10": 494_021, "full": 4_898_431}
NAMES = {"10": "kddcup.data_10_percent.gz", "full": "kddcup.data.gz"}
ARCHIVE = "https://kdd.ics.uci.edu/databases/kddcup99"
MIRRORS = {
    "10": ("https://ndownloader.figshare.com/files/5976042", f"{ARCHIVE}/{NAMES['10']}"),
    "full": ("https://ndownloader.figshare.com/files/5976045", f"{ARCHIVE}/{NAMES['full']}"),
}
SHA256 = {
    "10": "8045aca0d84e70e622d1148d7df782496f6333bf6eb979a1b0837c42a9fd9561",
    "full": "3b6c942aa0356c0ca35b7b595a26c89d343652c9db428893e7494f837b274292",
}
RATES = slice(24, 31), slice(33, 41)
"""Columns that are shares from 0 to 1 already."""


def load(*, subset: str, encoding: str, part: str) -> Data:
    """Return the connections with one output, 0 for normal and 1 for an attack.

    ``integer`` has 41 inputs, a symbol being its place in the sorted list of its kind, scaled to [0, 1]; ``onehot``
    has a column for each symbol instead.
    """
    (file,) = files(subset=subset, encoding=encoding, part=part)
    table = read_table(located(file), ROWS[subset])
    x = _scaled(table.features)
    if encoding == "onehot":
        x = _one_hot(x, table)
    return parted(x, table.attack[:, None], part)


def shape(*, subset: str, encoding: str, part: str) -> Shape:
    """Return the sizes without the file."""
    symbols = sum(map(len, SYMBOLS.values())) - len(SYMBOLS) if encoding == "onehot" else 0
    return Shape(rows_of_part(ROWS[subset], part), FEATURES + symbols, 1)


def files(*, subset: str, encoding: str, part: str) -> list[RemoteFile]:  # noqa: ARG001  one file for all of them
    """Return the one file of a subset."""
    return [
        RemoteFile(
            path=f"kddcup99/{NAMES[subset]}",
            urls=MIRRORS[subset],
            verify=lambda path: verify_table(path, ROWS[subset]),
            known_hash=f"sha256:{SHA256[subset]}",
        )
    ]


def _scaled(features: Array) -> Array:
    """Return features in [0, 1]: shares as they are, symbols by their place, counts by ``log(1 + count)``."""
    x = np.empty_like(features)
    for column in range(FEATURES):
        values = features[:, column]
        if column in SYMBOLS:
            x[:, column] = values / (len(SYMBOLS[column]) - 1)
        elif any(rates.start <= column < rates.stop for rates in RATES):
            x[:, column] = values
        else:
            x[:, column] = np.log1p(values) / max(float(np.log1p(values.max())), 1.0 / 2**20)
    return x


def _one_hot(x: Array, table: Table) -> Array:
    """Return ``x`` with every column of symbols replaced by one column for each symbol, in place."""
    pieces = []
    for column in range(FEATURES):
        if column in SYMBOLS:
            codes = table.features[:, column].astype(np.intp)
            pieces.append(np.eye(len(SYMBOLS[column]), dtype=x.dtype)[codes])
        else:
            pieces.append(x[:, column : column + 1])
    return np.concatenate(pieces, axis=1)
