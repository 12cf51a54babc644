from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness import DataError
from harness.datasets import load_dataset, remote_files, shape_of
from tests.datasets.conftest import REAL, idx

real = pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="HARNESS_DATA names no folder with mnist")


@pytest.fixture
def real_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(REAL))
    monkeypatch.setenv("HARNESS_OFFLINE", "1")


@pytest.fixture
def fashion(own_folders: Path) -> Path:
    """Four files of the right structure, of which only the first images and labels are not zero."""
    folder = own_folders / "fashion-mnist"
    folder.mkdir(parents=True)
    for name, rows in (("train", 60_000), ("t10k", 10_000)):
        images, labels = bytearray(rows * 784), bytearray(rows)
        images[783], labels[:3] = 255, bytes((9, 1, 2))
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(bytes(images), rows, 28, 28))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(bytes(labels), rows))
    return folder


@real
@pytest.mark.usefixtures("real_files")
def test_mnist_is_read_from_the_named_folder_and_scaled() -> None:
    data = load_dataset("mnist")
    assert data.shape == shape_of("mnist")
    assert data.x_test is not None
    assert data.x_test.shape == (10_000, 784)
    assert data.x_train.dtype == np.float32
    assert (data.x_train.min(), data.x_train.max()) == (0.0, 1.0)
    assert data.y_train.argmax(axis=1)[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.x_train.mean() == pytest.approx(0.1307, abs=1e-4)


@real
@pytest.mark.usefixtures("real_files")
def test_mnist_is_split_5_to_1_as_in_the_paper() -> None:
    data = load_dataset("mnist", {"part": "split"})
    assert data.shape == shape_of("mnist", {"part": "split"})
    assert data.x_test is not None
    assert (len(data.x_train), len(data.x_test)) == (50_000, 10_000)


@real
def test_a_real_file_that_was_cut_is_refused_and_left_alone(own_folders: Path) -> None:
    folder = own_folders / "mnist"
    folder.mkdir(parents=True)
    for file in (REAL / "mnist").glob("*.gz"):
        (folder / file.name).symlink_to(file)
    cut = folder / "t10k-images-idx3-ubyte.gz"
    content = cut.read_bytes()
    cut.unlink()
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: ends too early"):
        load_dataset("mnist")
    assert cut.stat().st_size == len(content) // 2


def test_a_file_with_other_digits_is_not_mnist(own_folders: Path) -> None:
    folder = own_folders / "mnist"
    folder.mkdir(parents=True)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(idx(bytes(60_000), 60_000))
    (labels,) = (file for file in remote_files("mnist") if "train-labels" in file.path)
    with pytest.raises(DataError, match="the decompressed content has another hash"):
        labels.verify(folder / "train-labels-idx1-ubyte.gz")


def test_fashion_mnist_is_read_by_its_structure(fashion: Path) -> None:
    data = load_dataset("fashion-mnist")
    assert fashion.is_dir()
    assert data.shape == shape_of("fashion-mnist")
    assert data.x_train[0, 783] == 1.0
    assert data.x_train.sum() == 1.0
    assert data.y_train.argmax(axis=1)[:4].tolist() == [9, 1, 2, 0]


def test_a_label_beyond_the_classes_is_refused(fashion: Path) -> None:
    (fashion / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(bytes([10] * 10_000), 10_000))
    with pytest.raises(DataError, match="label 10 is beyond its 10 classes"):
        load_dataset("fashion-mnist")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kddcup99"])
def test_every_file_has_two_mirrors_and_a_place(name: str) -> None:
    for file in remote_files(name):
        assert file.path.startswith(f"{name}/")
        assert len({url.split("/")[2] for url in file.urls}) == 2
