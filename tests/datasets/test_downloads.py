from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import DataError
from harness.datasets.files import located
from harness.datasets.remote import RemoteFile
from tests.datasets.conftest import Mirror

CONTENT = gzip.compress(b"what was published")


def sound(path: Path) -> None:
    if path.read_bytes() != CONTENT:
        raise DataError("not what was published")


def file(*urls: str, known_hash: str | None = None) -> RemoteFile:
    return RemoteFile(path="some/file.gz", urls=urls, verify=sound, known_hash=known_hash)


def left(folder: Path) -> list[str]:
    """Everything under a folder but the folders that hold a file."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or ".fetch" in str(path)
    )


def test_a_file_is_fetched_once_and_then_used_where_it_is(mirror: Mirror, own_folders: Path) -> None:
    wanted = file(mirror.serve("/file.gz", (200, CONTENT)))
    path = located(wanted)
    assert path == own_folders / "some" / "file.gz"
    assert path.read_bytes() == CONTENT
    assert located(wanted) == path
    assert mirror.asked == ["/file.gz"]
    assert left(own_folders) == ["some/file.gz"]


def test_a_failing_mirror_is_tried_again(mirror: Mirror) -> None:
    url = mirror.serve("/file.gz", (500, b"busy"), (503, b"busy"), (200, CONTENT))
    assert located(file(url)).read_bytes() == CONTENT
    assert len(mirror.asked) == 3


def test_the_next_mirror_serves_what_the_first_cannot(mirror: Mirror) -> None:
    first, second = mirror.serve("/a.gz", (404, b"")), mirror.serve("/b.gz", (200, CONTENT))
    assert located(file("http://127.0.0.1:9/closed.gz", first, second)).read_bytes() == CONTENT


BAD = [
    ((404, b"no such page"), "answered 404"),
    ((200, b"<html>sign in first</html>"), "not what was published"),
    ((200, b""), "not what was published"),
    ((200, CONTENT[:9], len(CONTENT)), "the connection failed"),
    ((200, CONTENT[:9]), "not what was published"),
]


@pytest.mark.parametrize(("answer", "cause"), BAD)
def test_what_is_not_the_file_ends_in_one_line_and_leaves_nothing(
    mirror: Mirror, own_folders: Path, answer: tuple[int, bytes], cause: str
) -> None:
    with pytest.raises(DataError, match=cause) as caught:
        located(file(mirror.serve("/file.gz", answer)))
    assert str(caught.value).startswith("some/file.gz cannot be fetched: http://127.0.0.1:")
    assert "\n" not in str(caught.value)
    assert left(own_folders) == []


def test_the_published_hash_is_checked(mirror: Mirror, own_folders: Path) -> None:
    url = mirror.serve("/file.gz", (200, CONTENT))
    right = f"md5:{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"
    with pytest.raises(DataError, match="another hash than the published file"):
        located(file(url, known_hash="md5:" + "0" * 32))
    assert left(own_folders) == []
    assert located(file(url, known_hash=right)).read_bytes() == CONTENT


def test_offline_forbids_a_download_in_one_line(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    with pytest.raises(
        DataError, match="HARNESS_OFFLINE forbids a download; put it there, or unset HARNESS_OFFLINE"
    ) as caught:
        located(file(mirror.serve("/file.gz", (200, CONTENT))))
    assert "\n" not in str(caught.value)
    assert mirror.asked == []


def test_offline_does_not_forbid_what_is_here(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    path = own_folders / "some" / "file.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert located(file()) == path


def test_without_a_named_folder_files_go_to_the_users_data_folder(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARNESS_DATA")
    path = located(file(mirror.serve("/file.gz", (200, CONTENT))))
    assert path == tmp_path / "xdg-data" / "backprop-harness" / "some" / "file.gz"


def test_a_named_folder_that_cannot_be_made_falls_back_to_the_users(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "taken" / "data"))
    path = located(file(mirror.serve("/file.gz", (200, CONTENT))))
    assert path.is_relative_to(tmp_path / "xdg-data")


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
def test_something_else_in_a_files_place_is_one_clear_error(own_folders: Path, kind: str) -> None:
    place = own_folders / "some" / "file.gz"
    place.parent.mkdir(parents=True)
    if kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("nowhere")
    with pytest.raises(DataError, match="is not a file; remove it"):
        located(file())


def test_two_processes_that_fetch_at_once_both_get_the_whole_file(mirror: Mirror, own_folders: Path) -> None:
    url = mirror.serve("/file.gz", (200, CONTENT * 2000))
    program = (
        "from harness.datasets.files import located\n"
        "from harness.datasets.remote import RemoteFile\n"
        f"print(located(RemoteFile(path='some/file.gz', urls=({url!r},), verify=lambda path: None)).stat().st_size)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(3)
    ]
    sizes = [process.communicate(timeout=240)[0].strip() for process in started]
    assert sizes == [str(len(CONTENT) * 2000)] * 3
    assert left(own_folders) == ["some/file.gz"]


def test_nothing_is_written_to_standard_error_where_it_is_no_terminal(
    mirror: Mirror, capfd: pytest.CaptureFixture[str]
) -> None:
    located(file(mirror.serve("/file.gz", (500, b""), (200, CONTENT))))
    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_the_progress(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    located(file(mirror.serve("/file.gz", (500, b""), (200, CONTENT))))
    out, err = capfd.readouterr()
    assert out == ""
    assert "file.gz" in err
