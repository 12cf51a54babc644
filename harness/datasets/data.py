"""``Data``: the arrays of a dataset. ``Shape``: their sizes alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.contract.arrays import Array
from harness.errors import PluginError

VALIDATION = 6
"""Every sixth row is kept for validation. This is the 5:1 split of the papers, and it needs no seed."""


@dataclass(frozen=True)
class Shape:
    """What a plan must know about a dataset: training rows, columns of x and columns of y."""

    rows: int
    inputs: int
    outputs: int


@dataclass(frozen=True, eq=False)
class Data:
    """One dataset, ready for ``Backend.load`` after ``cast``.

    ``x`` is ``(rows, inputs)`` and ``y`` is ``(rows, outputs)``: one-hot rows, or one column of 0 and 1. The arrays
    belong to the caller. ``x_test`` and ``y_test`` are both given or both ``None``; without them accuracy is measured
    on the training rows. Arrays are made C-ordered. A shape that does not fit is a ``PluginError``.
    """

    x_train: Array
    y_train: Array
    x_test: Array | None = None
    y_test: Array | None = None

    def __post_init__(self) -> None:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _checked(name, value))
        if (self.x_test is None) != (self.y_test is None):
            raise PluginError("a dataset must have both x_test and y_test, or neither")
        _check_pair(self.x_train, self.y_train)
        if self.x_test is not None and self.y_test is not None:
            _check_pair(self.x_test, self.y_test)
            _check_columns(self)

    @property
    def shape(self) -> Shape:
        """Training rows, columns of x and columns of y."""
        return Shape(len(self.x_train), self.x_train.shape[1], self.y_train.shape[1])

    def cast(self, dtype: str) -> Data:
        """Return the same data in ``dtype`` and C-ordered; arrays that are so already are shared and not copied."""
        x_test, y_test = (None if a is None else _cast(a, dtype) for a in (self.x_test, self.y_test))
        return Data(_cast(self.x_train, dtype), _cast(self.y_train, dtype), x_test, y_test)


def one_hot(labels: Array, classes: int) -> Array:
    """Return float32 rows with a 1 in the column of each row's label and 0 elsewhere."""
    return np.eye(classes, dtype=np.float32)[labels]


def parted(x: Array, y: Array, part: str) -> Data:
    """Return all rows for training; if ``part`` is ``"split"``, every sixth row is kept for validation instead."""
    if part != "split":
        return Data(x, y)
    test = np.arange(len(x)) % VALIDATION == VALIDATION - 1
    return Data(x[~test], y[~test], x[test], y[test])


def rows_of_part(rows: int, part: str) -> int:
    """Return how many of ``rows`` rows a part leaves for training."""
    return rows - rows // VALIDATION if part == "split" else rows


def _cast(array: Array, dtype: str) -> Array:
    return np.ascontiguousarray(array, dtype=dtype)


def _checked(name: str, value: Array) -> Array:
    array = np.ascontiguousarray(value)
    if array.ndim != 2 or array.dtype not in (np.float32, np.float64):
        raise PluginError(
            f"{name} has shape {array.shape} and dtype {array.dtype}: give (rows, columns) in float32 or float64"
        )
    return array


def _check_pair(x: Array, y: Array) -> None:
    if len(x) != len(y) or not len(x):
        raise PluginError(f"x has {len(x)} rows and y has {len(y)}: give the same number of both, at least 1")


def _check_columns(data: Data) -> None:
    for left, right in ((data.x_train, data.x_test), (data.y_train, data.y_test)):
        if right is not None and left.shape[1] != right.shape[1]:
            raise PluginError(
                f"training rows have {left.shape[1]} columns, test rows {right.shape[1]}: give them alike"
            )
