from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.datasets import mnist
from tests.datasets.conftest import Mirror, idx


@pytest.fixture
def small_fashion(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """Fashion-MNIST with tiny files, served by the loopback mirror; one of them is not what was published."""
    parts = []
    for part in mnist.PARTS:
        rows = (2, *part.dimensions[1:])
        size = 2 * 784 if len(rows) == 3 else 2
        content = idx(bytes(size), *rows)
        mirror.serve(f"/{part.name}", (200, content))
        parts.append(mnist._Part(part.name, rows, "", hashlib.md5(content, usedforsecurity=False).hexdigest()))
    monkeypatch.setattr(mnist, "PARTS", tuple(parts))
    monkeypatch.setattr(mnist, "FASHION_MIRRORS", (mirror.url,))
    return mirror


def test_datasets_are_listed_with_licence_and_place(capsys: pytest.CaptureFixture[str], own_folders: Path) -> None:
    assert main(["datasets"]) == 0
    out, err = capsys.readouterr()
    assert "CC BY-SA 3.0" in out
    assert "harness fetch mnist" in out
    assert str(own_folders) in err
    assert main(["datasets", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert (entries["digits"]["here"], entries["digits"]["files"]) == (True, {})
    assert entries["mnist"]["here"] is False
    assert set(entries["mnist"]["files"].values()) == {None}
    assert entries["synthetic"]["options"]["rows"] == [1000, "..."]


def test_a_folder_in_a_files_place_does_not_hide_the_other_datasets(
    capsys: pytest.CaptureFixture[str], own_folders: Path
) -> None:
    (own_folders / "mnist" / "train-images-idx3-ubyte.gz").mkdir(parents=True)
    assert main(["datasets", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert "is not a file" in entries["mnist"]["reason"]
    assert entries["digits"]["here"]


@pytest.mark.usefixtures("small_fashion")
def test_fetch_brings_every_file_once_and_prints_where(
    capsys: pytest.CaptureFixture[str], own_folders: Path, mirror: Mirror
) -> None:
    for _ in range(2):
        assert main(["fetch", "fashion-mnist"]) == 0
        out, err = capsys.readouterr()
        assert [Path(line).parent for line in out.splitlines()] == [own_folders / "fashion-mnist"] * 4
        assert err == ""
    assert len(mirror.asked) == 4


@pytest.mark.usefixtures("small_fashion")
def test_fetch_refuses_a_broken_file_that_is_there(capsys: pytest.CaptureFixture[str], own_folders: Path) -> None:
    path = own_folders / "fashion-mnist" / mnist.PARTS[1].name
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"no labels"))
    assert main(["fetch", "fashion-mnist"]) == 74
    err = capsys.readouterr().err
    assert f"{path}: holds 9 instead of 10 bytes; remove it and fetch it again\n" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["mnits"], "unknown dataset 'mnits'; did you mean 'mnist'?"),
        (["kddcup99", "--options", "subset=20"], "option subset='20' is unknown"),
        (["kddcup99", "--options", "subset"], "write name=value"),
        ([], "the following arguments are required: dataset"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], words: list[str], cause: str
) -> None:
    assert main(["fetch", *words]) == 2
    err = capsys.readouterr().err
    assert cause in err
    assert err.count("\n") == 1


def test_offline_the_missing_files_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    assert main(["fetch", "mnist"]) == 74
    err = capsys.readouterr().err
    assert "HARNESS_OFFLINE forbids" in err
    assert err.count("\n") == 1


def test_a_set_inside_the_package_needs_no_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "digits", "synthetic"]) == 0
    assert capsys.readouterr().out == "digits needs no files\nsynthetic needs no files\n"
