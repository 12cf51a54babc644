"""Vectors and matrices as Python lists: the few operations that backpropagation needs, written by hand.

Weights are kept a row a neuron, ``W[j][i]`` from input ``i`` to neuron ``j``: the transpose of the contract's.
"""

from __future__ import annotations

from operator import mul
from typing import TypeAlias

Vector: TypeAlias = list[float]
Matrix: TypeAlias = list[list[float]]
Weights: TypeAlias = list[tuple[Matrix, Vector]]
"""``(W, b)`` of every layer."""


def affine(w: Matrix, b: Vector, a: Vector) -> Vector:
    """Return ``W a + b``."""
    return [sum(map(mul, row, a)) + bias for row, bias in zip(w, b, strict=True)]


def product(rows: Matrix, v: Vector) -> Vector:
    """Return the dot product of every row with ``v``."""
    return [sum(map(mul, row, v)) for row in rows]


def transposed(w: Matrix) -> Matrix:
    """Return the matrix with rows and columns exchanged."""
    return [list(column) for column in zip(*w, strict=True)]


def add_outer(w: Matrix, u: Vector, v: Vector) -> None:
    """Add ``u v.T`` into ``w``."""
    for row, factor in zip(w, u, strict=True):
        row[:] = [value + factor * other for value, other in zip(row, v, strict=True)]


def add(u: Vector, v: Vector, factor: float = 1.0) -> None:
    """Add ``factor * v`` into ``u``."""
    u[:] = [value + factor * other for value, other in zip(u, v, strict=True)]


def add_all(into: Weights, other: Weights, factor: float = 1.0) -> None:
    """Add ``factor`` times every weight and bias of ``other`` into ``into``."""
    for (w, b), (w_other, b_other) in zip(into, other, strict=True):
        for row, row_other in zip(w, w_other, strict=True):
            add(row, row_other, factor)
        add(b, b_other, factor)


def zeros_like(weights: Weights) -> Weights:
    """Return zeros, shaped as ``weights``."""
    return [([[0.0] * len(row) for row in w], [0.0] * len(b)) for w, b in weights]
