"""MNIST and Fashion-MNIST: 70000 images of 28 x 28 pixels in four IDX files.

MNIST: Y. LeCun, C. Cortes and C. Burges. Fashion-MNIST: H. Xiao, K. Rasul and R. Vollgraf, Zalando Research.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.contract.arrays import Array
from harness.datasets.data import Data, Shape, one_hot, parted, rows_of_part
from harness.datasets.files import located
from harness.datasets.idx import Idx
from harness.datasets.remote import RemoteFile
from harness.errors import DataError

ROWS, TEST_ROWS, SIDE, CLASSES = 60_000, 10_000, 28, 10
BRIGHTEST = 255


@dataclass(frozen=True)
class _Part:
    """One of the four files: its dimensions, and the hash of each set's version."""

    name: str
    dimensions: tuple[int, ...]
    mnist_sha256: str
    """The hash of MNIST's decompressed content."""
    fashion_md5: str
    """The hash of Fashion-MNIST's published file."""


PARTS = (
    _Part(
        "train-images-idx3-ubyte.gz",
        (ROWS, SIDE, SIDE),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    ),
    _Part(
        "train-labels-idx1-ubyte.gz",
        (ROWS,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "25c81989df183df01b3e8a0aad5dffbe",
    ),
    _Part(
        "t10k-images-idx3-ubyte.gz",
        (TEST_ROWS, SIDE, SIDE),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "bef4ecab320f06d8554ea6380940ec79",
    ),
    _Part(
        "t10k-labels-idx1-ubyte.gz",
        (TEST_ROWS,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
)
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
FASHION_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
)


def load_mnist(*, part: str) -> Data:
    """Return MNIST, with pixels scaled from 0..255 to [0, 1]."""
    return _load("mnist", [Idx(file.dimensions, file.mnist_sha256) for file in PARTS], mnist_files(part=part), part)


def load_fashion(*, part: str) -> Data:
    """Return Fashion-MNIST, with pixels scaled from 0..255 to [0, 1]."""
    return _load("fashion-mnist", [Idx(file.dimensions) for file in PARTS], fashion_files(part=part), part)


def shape(*, part: str) -> Shape:
    """Return the sizes of either set without reading its files."""
    return Shape(rows_of_part(ROWS, part), SIDE * SIDE, CLASSES)


def mnist_files(*, part: str) -> list[RemoteFile]:  # noqa: ARG001  every part is read from the same files
    """Return MNIST's four files. The mirrors compress them differently, so only the content is checked."""
    return [
        RemoteFile(
            path=f"mnist/{file.name}",
            urls=tuple(f"{mirror}/{file.name}" for mirror in MNIST_MIRRORS),
            verify=Idx(file.dimensions, file.mnist_sha256).verify,
        )
        for file in PARTS
    ]


def fashion_files(*, part: str) -> list[RemoteFile]:  # noqa: ARG001  as above
    """Return Fashion-MNIST's four files. The published hashes are those of the compressed files."""
    return [
        RemoteFile(
            path=f"fashion-mnist/{file.name}",
            urls=tuple(f"{mirror}/{file.name}" for mirror in FASHION_MIRRORS),
            verify=Idx(file.dimensions).verify,
            known_hash=f"md5:{file.fashion_md5}",
        )
        for file in PARTS
    ]


def _load(name: str, formats: list[Idx], files: list[RemoteFile], part: str) -> Data:
    paths = [located(file) for file in files]
    images, labels, test_images, test_labels = (idx.read(path) for idx, path in zip(formats, paths, strict=True))
    x, y = _scaled(images), _labelled(name, labels)
    if part == "split":
        return parted(x, y, part)
    return Data(x, y, _scaled(test_images), _labelled(name, test_labels))


def _scaled(images: Array) -> Array:
    x = images.reshape(len(images), -1).astype(np.float32)
    x /= BRIGHTEST
    return x


def _labelled(name: str, labels: Array) -> Array:
    if labels.max() >= CLASSES:
        raise DataError(f"{name}: label {labels.max()} is beyond its {CLASSES} classes; remove its files, fetch again")
    return one_hot(labels, CLASSES)
