from __future__ import annotations

from pathlib import Path

import pytest

from harness.contract.folders import cache_folder, whole_file


def test_the_cache_lies_where_xdg_says_unless_that_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "backprop-harness"
    for useless in ("here", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", useless)
        assert cache_folder() == Path.home() / ".cache" / "backprop-harness"


def test_a_file_is_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with whole_file(path) as file:
        file.write(b"all")
        assert not path.exists()
    assert path.read_bytes() == b"all"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_could_not_be_finished_leaves_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(OSError, match="full"):
        _write_half(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def _write_half(path: Path) -> None:
    with whole_file(path) as file:
        file.write(b"half")
        raise OSError("full")
