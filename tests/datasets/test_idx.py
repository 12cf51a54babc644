from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from harness import DataError
from harness.datasets.idx import Idx
from tests.datasets.conftest import idx

VALUES = bytes(range(12))
SOUND = idx(VALUES, 3, 2, 2)
FORMAT = Idx((3, 2, 2))


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(SOUND)
    found = FORMAT.read(path)
    assert found.shape == (3, 2, 2)
    assert found.tobytes() == VALUES


def test_the_hash_is_of_the_content_whoever_compressed_it(tmp_path: Path) -> None:
    content = gzip.decompress(SOUND)
    known = Idx((3, 2, 2), hashlib.sha256(content).hexdigest())
    path = tmp_path / "file.gz"
    for level in (1, 9):
        path.write_bytes(gzip.compress(content, level, mtime=level))
        known.verify(path)
    path.write_bytes(idx(VALUES[::-1], 3, 2, 2))
    with pytest.raises(DataError, match="the decompressed content has another hash"):
        known.verify(path)


BROKEN = {
    "empty": (b"", "empty"),
    "no gzip": (b"<html>sign in first</html>", "is not a valid gzip file"),
    "truncated": (SOUND[:-12], "ends too early"),
    "header only": (SOUND[:5], "ends too early"),
    "corrupt": (SOUND[:10] + b"\x07" + SOUND[11:], "is not a valid gzip file"),
    "wrong checksum": (SOUND[:-8] + b"\0\0\0\0" + SOUND[-4:], "is not a valid gzip file"),
    "wrong magic": (idx(VALUES, 3, 2, 2, kind=9), "magic number 00000903 instead of 00000803"),
    "labels for images": (idx(b"\0" * 20, 8), "magic number 00000801 instead of 00000803"),
    "wrong dimensions": (idx(VALUES, 2, 3, 2), r"dimensions \(2, 3, 2\) instead of \(3, 2, 2\)"),
    "too short": (idx(VALUES[:-1], 3, 2, 2), "holds 27 instead of 28 bytes"),
    "too long": (idx(VALUES + b"\0", 3, 2, 2), "holds more than 28 bytes"),
    "bomb": (gzip.compress(bytes(10**8)), "holds more than 28 bytes"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_one_clear_error_that_names_it(tmp_path: Path, kind: str) -> None:
    content, cause = BROKEN[kind]
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=cause) as caught:
        FORMAT.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_folder_in_its_place_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        FORMAT.read(tmp_path)
