"""``quadrants``: random points of the plane, labelled by quadrant; no linear model can separate them."""

from __future__ import annotations

import numpy as np

from harness.contract.arrays import Array
from harness.datasets.data import Data, Shape
from harness.errors import RequestError


def load(*, rows: int, seed: int) -> Data:
    """Return ``rows`` training points and a fifth as many test points: 0 in quadrants 1 and 3, 1 in 2 and 4."""
    shape(rows=rows, seed=seed)
    generator = np.random.default_rng(seed)
    points = generator.uniform(-1, 1, (rows + max(1, rows // 5), 2)).astype(np.float32)
    labels = _labels(points)
    return Data(points[:rows], labels[:rows], points[rows:], labels[rows:])


def shape(*, rows: int, seed: int) -> Shape:
    """Return the sizes, or raise ``RequestError`` for options that are out of range."""
    if not 1 <= rows <= 2**30 or seed < 0:
        raise RequestError(f"dataset 'quadrants': rows={rows}, seed={seed}: give 1 to {2**30} rows and a seed from 0")
    return Shape(rows, 2, 1)


def _labels(points: Array) -> Array:
    return np.asarray(points[:, :1] * points[:, 1:] < 0, dtype=np.float32)
