"""The table of KDD Cup 1999 as numbers, parsed once and cached: lines in, features and labels out."""

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
from harness.errors import DataError

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
"""The columns that hold words, and every word of the whole set, so that both subsets are encoded alike."""
VERSION = 1
"""Of the cached form."""


@dataclass(frozen=True)
class Table:
    """``features`` (rows, 41) in float32, symbols as their place in ``SYMBOLS``; ``attack`` (rows,) of 0 and 1."""

    features: Array
    attack: Array


def read_table(path: Path, rows: int) -> Table:
    """Return the table of a file that must have this many rows, from the cache where it was parsed before."""
    with gz.reading(path):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    cached = cache_folder() / f"kddcup99-{digest[:32]}-v{VERSION}.npz"
    found = _from_cache(cached, rows)
    if found is None:
        found = _parsed(path, rows)
        _to_cache(cached, found)
    return Table(found[:, :FEATURES], np.ascontiguousarray(found[:, LABEL]))


def verify_table(path: Path, rows: int) -> None:
    """Raise a ``DataError`` where a file is not sound or has another number of rows."""
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
        raise DataError(f"{path}: not the table of KDD Cup 1999 ({error}); {gz.ADVICE}") from None
    if table.shape != (rows, FEATURES + 1) or not np.isfinite(table).all() or table.min() < 0:
        raise DataError(f"{path}: not the table of KDD Cup 1999; {gz.ADVICE}")
    return np.asarray(table)


def _code(words: tuple[str, ...]) -> Callable[[str], float]:
    places = {word: float(place) for place, word in enumerate(words)}

    def code(word: str) -> float:
        if word not in places:
            raise ValueError(f"unknown word {word!r:.40}")
        return places[word]

    return code


def _from_cache(cached: Path, rows: int) -> Array | None:
    """Return a table that is there, sound and of the right shape; whatever else is there is made again."""
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        with cached.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            table = stored["table"]
        if table.shape == (rows, FEATURES + 1) and table.dtype == np.float32:
            return np.asarray(table)
    return None


def _to_cache(cached: Path, table: Array) -> None:
    """Keep a table under its name; where that cannot be, it is parsed again next time."""
    try:
        with whole_file(cached) as file:
            np.savez_compressed(file, table=table)
    except OSError as error:
        print(f"warning: {cached} cannot be written ({error}); every process parses the table", file=sys.stderr)
