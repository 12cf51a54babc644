"""The default dataset, which is part of the package: 1797 handwritten digits of 8 x 8 pixels.

It is the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, UCI Machine Learning
Repository, 1998, CC BY 4.0), with the numbers and the order of rows of scikit-learn.
"""

from __future__ import annotations

import io
from importlib.resources import files

import numpy as np

from harness.datasets.data import Data, Shape, one_hot, parted, rows_of_part

ROWS, INPUTS, CLASSES = 1797, 64, 10
BRIGHTEST = 16


def load(*, part: str) -> Data:
    """Return the digits, with pixels scaled from 0..16 to [0, 1]."""
    packed = files("harness.datasets").joinpath("digits.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        x = stored["pixels"].astype(np.float32) / BRIGHTEST
        y = one_hot(stored["labels"], CLASSES)
    return parted(x, y, part)


def shape(*, part: str) -> Shape:
    """Return the sizes without reading the pixels."""
    return Shape(rows_of_part(ROWS, part), INPUTS, CLASSES)
