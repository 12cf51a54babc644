from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from harness import DataError
from harness.contract.folders import cache_folder
from harness.datasets import kddcup99, load_dataset, shape_of
from harness.datasets.kddcup99 import SYMBOLS, read_table
from tests.datasets.conftest import REAL

real = pytest.mark.skipif(not (REAL / "kddcup99").is_dir(), reason="HARNESS_DATA names no folder with kddcup99")


def row(label: str = "normal.", service: str = "http", source: str = "99", share: str = "0.25") -> str:
    counts = ["0"] * 19
    shares = [share] * 7
    return ",".join(["0", "tcp", service, "SF", source, *counts[:19], *shares, "9", "3", *["0.50"] * 8, label])


ROWS = [row(), row("smurf.", "aol", "0"), row("neptune.", "whois", "9")]


def table(folder: Path, lines: list[str]) -> Path:
    path = folder / "kdd.gz"
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


def test_symbols_are_read_as_their_place_and_labels_as_normal_or_attack(tmp_path: Path) -> None:
    found = read_table(table(tmp_path, ROWS), 3)
    assert found.features.shape == (3, 41)
    assert found.features[:, 1:5].tolist() == [
        [1, SYMBOLS[2].index("http"), 9, 99],
        [1, SYMBOLS[2].index("aol"), 9, 0],
        [1, SYMBOLS[2].index("whois"), 9, 9],
    ]
    assert found.attack.tolist() == [0, 1, 1]


def test_the_lists_of_symbols_are_complete_and_sorted() -> None:
    assert [len(words) for words in SYMBOLS.values()] == [3, 70, 11]
    assert all(list(words) == sorted(set(words)) for words in SYMBOLS.values())


def test_counts_are_scaled_by_their_logarithm_shares_stay_and_symbols_are_spread_over_the_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_folders: Path
) -> None:
    monkeypatch.setitem(kddcup99.ROWS, "10", 3)
    path = own_folders / "kddcup99" / "kddcup.data_10_percent.gz"
    path.parent.mkdir(parents=True)
    table(tmp_path, ROWS).rename(path)
    x = load_dataset("kddcup99").x_train
    np.testing.assert_allclose(x[:, 4], [1.0, 0.0, 0.5])
    np.testing.assert_allclose(x[:, 1], 0.5)
    np.testing.assert_allclose(x[:, 24:31], 0.25)
    np.testing.assert_allclose(x[:, 2], [SYMBOLS[2].index(word) / 69 for word in ("http", "aol", "whois")])
    hot = load_dataset("kddcup99", {"encoding": "onehot"}).x_train
    assert hot.shape == (3, 122)
    assert hot[:, 1:85].sum(axis=1).tolist() == [3, 3, 3]
    np.testing.assert_array_equal(hot[:, 85:], x[:, 4:])


BROKEN = {
    "too few rows": (ROWS[:2], "holds 2 rows instead of 3"),
    "an unknown word": ([*ROWS[:2], row(service="htpp")], "'htpp'"),
    "a short row": ([*ROWS[:2], "0,tcp,http"], "not the table of KDD Cup 1999"),
    "no number": ([*ROWS[:2], row(source="many")], "not the table of KDD Cup 1999"),
    "not finite": ([*ROWS[:2], row(share="nan")], "not the table of KDD Cup 1999"),
    "negative": ([*ROWS[:2], row(source="-1")], "not the table of KDD Cup 1999"),
    "not text": ([*ROWS[:2], "ä" * 40], "not the table of KDD Cup 1999"),
    "empty lines": (["", "", ""], "not the table of KDD Cup 1999"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_table_is_one_clear_error_and_leaves_nothing_in_the_cache(tmp_path: Path, kind: str) -> None:
    lines, cause = BROKEN[kind]
    with pytest.raises(DataError, match=cause) as caught:
        read_table(table(tmp_path, lines), 3)
    assert "\n" not in str(caught.value)
    assert not list(cache_folder().glob("*"))


def test_a_truncated_table_is_one_clear_error(tmp_path: Path) -> None:
    path = table(tmp_path, ROWS)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="ends too early"):
        read_table(path, 3)


def test_the_cache_is_used_made_again_where_it_is_broken_and_not_needed(tmp_path: Path) -> None:
    path = table(tmp_path, ROWS)
    first = read_table(path, 3)
    (cached,) = cache_folder().iterdir()
    before = cached.stat().st_mtime_ns
    np.testing.assert_array_equal(read_table(path, 3).features, first.features)
    assert cached.stat().st_mtime_ns == before
    for damage in (b"", b"PK nonsense", cached.read_bytes()[:-40]):
        cached.write_bytes(damage)
        np.testing.assert_array_equal(read_table(path, 3).features, first.features)
    assert [file.name for file in cache_folder().iterdir()] == [cached.name]


def test_a_cache_that_cannot_be_written_costs_time_only_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    assert read_table(table(tmp_path, ROWS), 3).attack.tolist() == [0, 1, 1]
    assert "cannot be written" in capsys.readouterr().err


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def real_file(monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(REAL))
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))


@real
@pytest.mark.usefixtures("real_file")
def test_the_real_sample_is_read_and_then_kept() -> None:
    for _attempt in ("parsed", "cached"):
        data = load_dataset("kddcup99")
        assert data.shape == shape_of("kddcup99")
    assert data.y_train.sum() == 494_021 - 97_278
    assert (data.x_train.min(), data.x_train.max()) == (0.0, 1.0)
    assert len(list(cache_folder().iterdir())) == 1


@real
@pytest.mark.usefixtures("real_file")
def test_the_real_sample_one_hot_has_a_column_for_each_symbol() -> None:
    options = {"encoding": "onehot", "part": "split"}
    data = load_dataset("kddcup99", options)
    assert data.shape == shape_of("kddcup99", options)
    assert data.x_train.shape == (411_685, 122)
    assert (data.x_train[:, 1:85].sum(axis=1) == 3).all()
