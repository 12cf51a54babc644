"""KDD Cup 1999: network connections of 41 features, normal or an attack. One row for each line, separated by commas.

S. Hettich and S. D. Bay, The UCI KDD Archive, 1999. Three features are symbols, fifteen are shares from 0 to 1, and the
others are counts over up to nine orders of magnitude, so they are scaled by their logarithm. The text is turned into
numbers once and then cached.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.contract.arrays import Array
from harness.contract.folders import cache_folder, whole_file
from harness.datasets import gz
from harness.datasets.data import Data, Shape, parted, rows_of_part
from harness.datasets.files import located
from harness.datasets.remote import RemoteFile
from harness.errors import DataError

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
"""Columns that are already shares from 0 to 1."""
FEATURES, LABEL = 41, 41
SYMBOLS: Mapping[int, tuple[str, ...]] = {
    1: ("icmp", "tcp", "udp"),
    2: tuple(
        "IRC X11 Z39_50 aol auth bgp courier csnet_ns ctf daytime discard domain domain_u echo eco_i ecr_i efs exec "  # noqa: SIM905  seventy quotes would be harder to read
        "finger ftp ftp_data gopher harvest hostnames http http_2784 http_443 http_8001 imap4 iso_tsap klogin kshell "
        "ldap link login mtp name netbios_dgm netbios_ns netbios_ssn netstat nnsp nntp ntp_u other pm_dump pop_2 "
        "pop_3 printer private red_i remote_job rje shell smtp sql_net ssh sunrpc supdup systat telnet tftp_u tim_i "
        "time urh_i urp_i uucp uucp_path vmnet whois".split()
    ),
    3: ("OTH", "REJ", "RSTO", "RSTOS0", "RSTR", "S0", "S1", "S2", "S3", "SF", "SH"),
}
"""The columns that hold words, with every word of the whole set, so that both subsets have the same encoding."""
VERSION = 1
"""The version of the cached form."""


def load(*, subset: str, encoding: str, part: str) -> Data:
    """Return the connections with one output: 0 for normal, 1 for an attack.

    With ``integer`` there are 41 inputs, and a symbol is its place in the sorted list of its kind, scaled to [0, 1].
    With ``onehot`` each symbol has a column of its own.
    """
    (file,) = files(subset=subset, encoding=encoding, part=part)
    table = read_table(located(file), ROWS[subset])
    x = _scaled(table.features)
    if encoding == "onehot":
        x = _one_hot(x, table)
    return parted(x, table.attack[:, None], part)


def shape(*, subset: str, encoding: str, part: str) -> Shape:
    """Return the sizes without reading the file."""
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
    """Return the features in [0, 1]: shares unchanged, symbols by their place, counts by ``log(1 + count)``."""
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
    """Return ``x`` with each column of symbols replaced by one column for every symbol."""
    pieces = []
    for column in range(FEATURES):
        if column in SYMBOLS:
            codes = table.features[:, column].astype(np.intp)
            pieces.append(np.eye(len(SYMBOLS[column]), dtype=x.dtype)[codes])
        else:
            pieces.append(x[:, column : column + 1])
    return np.concatenate(pieces, axis=1)


# From the text of the file to numbers.


@dataclass(frozen=True)
class Table:
    """``features``: (rows, 41) in float32, with symbols as their place in ``SYMBOLS``. ``attack``: (rows,), 0 or 1."""

    features: Array
    attack: Array


def read_table(path: Path, rows: int) -> Table:
    """Return the table of a file, from the cache if it was parsed before; ``DataError`` if it has not ``rows`` rows."""
    with gz.reading(path):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    cached = cache_folder() / f"kddcup99-{digest[:32]}-v{VERSION}.npz"
    numbers = _from_cache(cached, rows)
    if numbers is None:
        numbers = _parsed(path, rows)
        _to_cache(cached, numbers)
    return Table(numbers[:, :FEATURES], np.ascontiguousarray(numbers[:, LABEL]))


def verify_table(path: Path, rows: int) -> None:
    """Raise a ``DataError`` if a file is damaged or has another number of rows."""
    counted = 0
    with gz.reading(path), gzip.open(path) as file:
        while block := file.read(2**24):
            counted += block.count(b"\n")
    if counted != rows:
        raise DataError(f"{path}: holds {counted} rows instead of {rows}; {gz.ADVICE}")


def _parsed(path: Path, rows: int) -> Array:
    verify_table(path, rows)
    converters: dict[int | str, Callable[[str], float]] = {column: _code(words) for column, words in SYMBOLS.items()}
    converters[LABEL] = lambda label: 0.0 if label == "normal." else 1.0
    try:
        with gz.reading(path), gzip.open(path, "rt", encoding="ascii") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a table without a row is refused below
            table = np.loadtxt(file, delimiter=",", dtype=np.float32, converters=converters, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path}: is not the table of KDD Cup 1999 ({error}); {gz.ADVICE}") from None
    if table.shape != (rows, FEATURES + 1) or not np.isfinite(table).all() or table.min() < 0:
        raise DataError(f"{path}: is not the table of KDD Cup 1999; {gz.ADVICE}")
    return np.asarray(table)


def _code(words: tuple[str, ...]) -> Callable[[str], float]:
    places = {word: float(place) for place, word in enumerate(words)}

    def code(word: str) -> float:
        if word not in places:
            raise ValueError(f"unknown word {word!r:.40}")
        return places[word]

    return code


def _from_cache(cached: Path, rows: int) -> Array | None:
    """Return a cached table that can be read and has the right shape, else ``None``."""
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        with cached.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            table = stored["table"]
        if table.shape == (rows, FEATURES + 1) and table.dtype == np.float32:
            return np.asarray(table)
    return None


def _to_cache(cached: Path, table: Array) -> None:
    """Write a table to the cache; if that fails, print a warning, and the next process parses the file again."""
    try:
        with whole_file(cached) as file:
            np.savez_compressed(file, table=table)
    except OSError as error:
        print(f"warning: {cached} cannot be written ({error}); every process parses the table", file=sys.stderr)
