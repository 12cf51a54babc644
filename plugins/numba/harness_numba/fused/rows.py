"""Elementwise work on rows of own columns: vector functions where the contract names the activation, scalar calls else.

Run inside kernels.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from harness_numba import pointwise
from harness_numba.fused.elementwise import (
    added_vector,
    put_number,
    relu_slope_vector,
    relu_vector,
    sigmoid_slope_vector,
    sigmoid_vector,
    tanh_slope_vector,
    tanh_vector,
)
from harness_numba.fused.emit import itemsize
from harness_numba.fused.isa import KERNELS
from harness_numba.jit import inlined
from harness_numba.pointwise import LINEAR, RELU, SIGMOID, TANH

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
def values(number: Any, layer: Any, z: int, a: int, first: int, last: int) -> None:
    """``a = f(z)`` from byte ``first`` to byte ``last`` of one row."""
    if layer.kind == SIGMOID:
        for at in range(first, last, VECTOR):
            sigmoid_vector(number, (z + at, a + at))
    elif layer.kind == TANH:
        for at in range(first, last, VECTOR):
            tanh_vector(number, (z + at, a + at))
    elif layer.kind == RELU:
        for at in range(first, last, VECTOR):
            relu_vector(number, (z + at, a + at))
    elif layer.kind != LINEAR:
        for at in range(first, last, itemsize(number)):
            put_number(number, (a + at, pointwise.value(layer.kind, layer.value, get(number, z + at))))


@inlined
def slopes(number: Any, layer: Any, z: int, a: int, d: int, first: int, last: int) -> None:
    """``d *= f'(z)`` from byte ``first`` to byte ``last`` of one row."""
    if layer.kind == SIGMOID:
        for at in range(first, last, VECTOR):
            sigmoid_slope_vector(number, (a + at, d + at))
    elif layer.kind == TANH:
        for at in range(first, last, VECTOR):
            tanh_slope_vector(number, (a + at, d + at))
    elif layer.kind == RELU:
        for at in range(first, last, VECTOR):
            relu_slope_vector(number, (a + at, d + at))
    elif layer.kind != LINEAR:
        for at in range(first, last, itemsize(number)):
            slope = pointwise.slope(layer.kind, layer.slope, get(number, z + at), get(number, a + at))
            put_number(number, (d + at, slope * get(number, d + at)))


@inlined
def clear(number: Any, a: int, first: int, last: int) -> None:
    """``a = 0`` from byte ``first`` to byte ``last``: columns that pad the last panel must not be learnt from."""
    for at in range(first, last, itemsize(number)):
        put_number(number, (a + at, 0.0))


@inlined
def add_up(number: Any, partial: int, own: int, team: int, base: int, out: int, first: int, last: int) -> None:
    """``out = base + the partial sums of all threads`` from byte ``first`` to byte ``last`` of one row."""
    for at in range(first, last, VECTOR):
        added_vector(number, (base + at, partial + at, out + at))
        for thread in range(1, team):
            added_vector(number, (out + at, partial + thread * own + at, out + at))
