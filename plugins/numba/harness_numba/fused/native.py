"""The numeric work, compiled for one type of number and called by address.

The plan sees only addresses. So it is compiled once for both types, and no kernel is compiled into its callers.
"""

# ruff: noqa: PLR0913, PLR0917  C functions take addresses and strides, not objects

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir
from numba.core import types

from harness_numba.fused import products, rows
from harness_numba.fused.emit import as_tuple
from harness_numba.jit import c_function, intrinsic

INTEGERS = {"product": 12, "update": 7, "dot": 12, "values": 9, "slopes": 10, "gather": 9, "take": 6, "deltas": 11}
"""The number of integer arguments (addresses, strides and counts) of every native function."""
FLOATS = {"dot": 2, "deltas": 1}
"""The number of float arguments, which follow the integers."""


@cache
def functions(number: Any) -> dict[str, Any]:
    """Return the C functions for ``numpy.float32`` or ``numpy.float64``, by name; they live as long as the process."""
    return {name: c_function(_signature(name), MAKERS[name](number)) for name in INTEGERS}


def _signature(name: str) -> Any:
    return types.void(*[types.int64] * INTEGERS[name], *[types.float64] * FLOATS.get(name, 0))


def _product(number: Any) -> Any:
    def product(
        rows: int,
        panels: int,
        left: int,
        left_row: int,
        right: int,
        step: int,
        panel: int,
        base: int,
        base_row: int,
        out: int,
        out_row: int,
        count: int,
    ) -> None:
        at = (left, left_row, right, step, panel, base, base_row, out, out_row, count)
        products.product(number, rows, panels, at)

    return product


def _update(number: Any) -> Any:
    def update(rows: int, left: int, left_step: int, right: int, right_step: int, panel: int, count: int) -> None:
        products.update(number, rows, left, left_step, right, right_step, panel, count)

    return update


def _dot(number: Any) -> Any:
    def dot(
        rows: int,
        columns: int,
        left: int,
        left_row: int,
        right: int,
        right_row: int,
        right_panel: int,
        out: int,
        out_row: int,
        panels: int,
        base: int,
        base_row: int,
        scale: float,
        shift: float,
    ) -> None:
        factors = (left, left_row, products.PANEL, right, right_row, right_panel)
        products.dot(number, rows, columns, (*factors, out, out_row, panels, base, base_row, scale, shift))

    return dot


def _values(number: Any) -> Any:
    def values(kind: int, value: int, z: int, a: int, row: int, count: int, first: int, last: int, full: int) -> None:
        rows.values(number, kind, value, z, a, row, count, first, last, full)

    return values


def _slopes(number: Any) -> Any:
    def slopes(
        kind: int, slope: int, z: int, a: int, d: int, row: int, count: int, first: int, last: int, full: int
    ) -> None:
        rows.slopes(number, kind, slope, z, a, d, row, count, first, last, full)

    return slopes


def _gather(number: Any) -> Any:
    def gather(
        partial: int, own: int, team: int, base: int, out: int, row: int, count: int, first: int, last: int
    ) -> None:
        rows.gather(number, partial, own, team, base, out, row, count, first, last)

    return gather


def _take(number: Any) -> Any:
    def take(bias: int, d: int, row: int, count: int, first: int, last: int) -> None:
        rows.take(number, bias, d, row, count, first, last)

    return take


def _deltas(number: Any) -> Any:
    def deltas(
        loss: int,
        kind: int,
        slope: int,
        z: int,
        a: int,
        y: int,
        d: int,
        row: int,
        y_row: int,
        count: int,
        neurons: int,
        scale: float,
    ) -> None:
        rows.deltas(number, loss, kind, slope, z, a, y, d, row, y_row, count, neurons, scale)

    return deltas


MAKERS = {
    "product": _product,
    "update": _update,
    "dot": _dot,
    "values": _values,
    "slopes": _slopes,
    "gather": _gather,
    "take": _take,
    "deltas": _deltas,
}


@intrinsic
def _call(_context: Any, address: Any, arguments: Any) -> Any:  # noqa: ARG001  typed by its name
    given = [types.float64 if isinstance(argument, types.Float) else types.int64 for argument in arguments]

    def write(target: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
        kinds = [target.get_value_type(kind) for kind in given]
        function = ir.FunctionType(ir.VoidType(), kinds).as_pointer()
        unpacked = [builder.extract_value(values[1], at) for at in range(len(kinds))]
        builder.call(builder.inttoptr(values[0], function), unpacked)
        return target.get_dummy_value()

    return types.void(types.int64, as_tuple(given)), write


call: Callable[[int, tuple[float, ...]], None] = _call
"""Call one of these functions by its address with a tuple of its arguments; for use inside kernels."""
