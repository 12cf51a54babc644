"""Elementwise work on rows of own columns: vector functions for the contract's activations, scalar calls for others.

Used inside kernels.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir

from harness_numba import pointwise
from harness_numba.fused.elementwise import (
    added_vector,
    error_vector,
    put_number,
    relu_slope_vector,
    relu_vector,
    sigmoid_slope_vector,
    sigmoid_vector,
    take_columns,
    tanh_slope_vector,
    tanh_vector,
)
from harness_numba.fused.emit import itemsize
from harness_numba.fused.isa import KERNELS
from harness_numba.jit import inlined, intrinsic
from harness_numba.pointwise import BCE, CE, LINEAR, RELU, SIGMOID, TANH

VECTOR = KERNELS.vector_bytes


@intrinsic
def _get(_context: Any, number: Any, address: Any) -> Any:
    def write(target: Any, builder: Any, signature: Any, values: list[Any]) -> Any:
        kind = target.get_value_type(signature.return_type)
        return builder.load(builder.inttoptr(values[1], ir.PointerType(kind)))

    return number.instance_type(number, address), write


get: Any = _get
"""Load one number."""


@inlined
def values(number: Any, kind: int, value: int, z: int, a: int, row: int, rows: int, first: int, last: int, full: int) -> None:  # fmt: skip  # noqa: E501
    """Compute ``a = f(z)`` from byte ``first`` to byte ``last`` of every row, and set what follows ``full`` to 0.

    There are only columns that pad the last panel, and they must not change any weight.
    """
    for _ in range(rows):
        _values(number, kind, value, z, a, first, last, full)
        for at in range(max(first, full), last, itemsize(number)):
            put_number(number, (a + at, 0.0))
        z, a = z + row, a + row


@inlined
def _values(number: Any, kind: int, value: int, z: int, a: int, first: int, last: int, full: int) -> None:
    if kind == SIGMOID:
        for at in range(first, last, VECTOR):
            sigmoid_vector(number, (z + at, a + at))
    elif kind == TANH:
        for at in range(first, last, VECTOR):
            tanh_vector(number, (z + at, a + at))
    elif kind == RELU:
        for at in range(first, last, VECTOR):
            relu_vector(number, (z + at, a + at))
    elif kind != LINEAR:
        for at in range(first, min(last, full), itemsize(number)):
            put_number(number, (a + at, pointwise.value(kind, value, get(number, z + at))))


@inlined
def slopes(number: Any, kind: int, slope: int, z: int, a: int, d: int, row: int, rows: int, first: int, last: int, full: int) -> None:  # fmt: skip  # noqa: E501
    """Compute ``d *= f'(z)`` from byte ``first`` to byte ``last`` of every row; a registered slope ends at ``full``."""
    for _ in range(rows):
        _slopes(number, kind, slope, z, a, d, first, last, full)
        z, a, d = z + row, a + row, d + row


@inlined
def _slopes(number: Any, kind: int, slope: int, z: int, a: int, d: int, first: int, last: int, full: int) -> None:
    if kind == SIGMOID:
        for at in range(first, last, VECTOR):
            sigmoid_slope_vector(number, (a + at, d + at))
    elif kind == TANH:
        for at in range(first, last, VECTOR):
            tanh_slope_vector(number, (a + at, d + at))
    elif kind == RELU:
        for at in range(first, last, VECTOR):
            relu_slope_vector(number, (a + at, d + at))
    elif kind != LINEAR:
        for at in range(first, min(last, full), itemsize(number)):
            by = pointwise.slope(kind, slope, get(number, z + at), get(number, a + at))
            put_number(number, (d + at, by * get(number, d + at)))


@inlined
def gather(number: Any, partial: int, own: int, team: int, base: int, out: int, row: int, rows: int, first: int, last: int) -> None:  # fmt: skip  # noqa: E501
    """Compute ``out = base + the partial sums of all threads`` from ``first`` to ``last`` of every row, in bytes."""
    for _ in range(rows):
        for at in range(first, last, VECTOR):
            added_vector(number, (base + at, partial + at, out + at))
            for thread in range(1, team):
                added_vector(number, (out + at, partial + thread * own + at, out + at))
        partial, out = partial + row, out + row


@inlined
def take(number: Any, bias: int, d: int, row: int, rows: int, first: int, last: int) -> None:
    """Subtract the sum of all rows of ``d`` from ``bias``, from byte ``first`` to byte ``last``."""
    for at in range(first, last, VECTOR):
        take_columns(number, (bias + at, d + at, row, rows))


@inlined
def deltas(number: Any, loss: int, kind: int, slope: int, z: int, a: int, y: int, d: int, row: int, y_row: int, rows: int, neurons: int, scale: float) -> None:  # fmt: skip  # noqa: E501
    """Compute ``d``, the gradient of the loss by ``z`` of the last layer times ``scale``, for every row."""
    for _ in range(rows):
        _delta(number, loss, kind, slope, z, a, y, d, row, neurons, scale)
        z, a, y, d = z + row, a + row, y + y_row, d + row


@inlined
def _delta(number: Any, loss: int, kind: int, slope: int, z: int, a: int, y: int, d: int, row: int, neurons: int, scale: float) -> None:  # fmt: skip  # noqa: E501
    output = a
    if loss == CE:
        _softmax(number, a, d, neurons)
        output = d
    factor = scale if loss == CE or loss == BCE else 2.0 * scale  # noqa: PLR1714, SIM109  no search in a kernel
    for at in range(0, row, VECTOR):
        error_vector(number, (output + at, y + at, d + at, factor))
    if loss == CE or (loss == BCE and kind == SIGMOID):
        return
    _slopes(number, kind, slope, z, a, d, 0, row, neurons * itemsize(number))
    if loss == BCE:
        for at in range(0, neurons * itemsize(number), itemsize(number)):
            p = np.float64(get(number, a + at))
            outside = p <= 0.0 or p >= 1.0  # NaN is neither, and stays NaN
            put_number(number, (d + at, 0.0 if outside else get(number, d + at) / (p * (1.0 - p))))


@inlined
def _softmax(number: Any, a: int, out: int, neurons: int) -> None:
    """Compute the softmax of ``a``, shifted by its maximum so that nothing overflows."""
    size = itemsize(number)
    top = np.float64(get(number, a))
    for at in range(size, neurons * size, size):
        top = max(top, np.float64(get(number, a + at)))
    total = 0.0
    for at in range(0, neurons * size, size):
        e = math.exp(np.float64(get(number, a + at)) - top)
        put_number(number, (out + at, e))
        total += e
    for at in range(0, neurons * size, size):
        put_number(number, (out + at, get(number, out + at) / total))
