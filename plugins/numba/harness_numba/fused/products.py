"""Matrix products of any size out of tiles: the widest tile while it fits, then narrower ones. Run inside kernels."""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from typing import Any

from harness_numba.fused import tiles
from harness_numba.fused.emit import emitted, itemsize
from harness_numba.fused.isa import KERNELS
from harness_numba.jit import inlined

PANEL = KERNELS.panel_bytes
WIDE = KERNELS.product_rows
DOT = KERNELS.dot_rows

_product_wide = emitted(tiles.product(WIDE, 1))
_product_4 = emitted(tiles.product(4, 1))
_product_2 = emitted(tiles.product(2, 1))
_product_1 = emitted(tiles.product(1, 1))
_product_1_by_4 = emitted(tiles.product(1, 4))
_update_wide = emitted(tiles.update(WIDE))
_update_2 = emitted(tiles.update(2))
_update_1 = emitted(tiles.update(1))
_dot_wide = emitted(tiles.dot(DOT, 4))
_dot_wide_by_1 = emitted(tiles.dot(DOT, 1))
_dot_1_by_8 = emitted(tiles.dot(1, 8))
_dot_1_by_2 = emitted(tiles.dot(1, 2))
_dot_1 = emitted(tiles.dot(1, 1))


@inlined
def product(number: Any, rows: int, panels: int, left: int, left_row: int, right: int, step: int, panel: int, base: int, base_row: int, out: int, out_row: int, count: int) -> None:  # fmt: skip  # noqa: E501
    """``out = base + left @ right``: ``rows`` rows times ``panels`` panels, ``count`` terms in each sum.

    ``out`` and ``base`` have their panels side by side; those of ``right`` are ``panel`` bytes apart, its rows ``step``.
    """
    if rows == 1:
        _product_row(number, panels, left, right, step, panel, base, out, count)
        return
    for at in range(panels):
        x, b, o, m = left, base + at * PANEL, out + at * PANEL, right + at * panel
        remaining = rows
        while remaining >= WIDE:
            _product_wide(number, (x, left_row, m, step, panel, b, base_row, o, out_row, count))
            x, b, o = x + WIDE * left_row, b + WIDE * base_row, o + WIDE * out_row
            remaining -= WIDE
        if remaining >= 4:
            _product_4(number, (x, left_row, m, step, panel, b, base_row, o, out_row, count))
            x, b, o = x + 4 * left_row, b + 4 * base_row, o + 4 * out_row
            remaining -= 4
        if remaining >= 2:
            _product_2(number, (x, left_row, m, step, panel, b, base_row, o, out_row, count))
            x, b, o = x + 2 * left_row, b + 2 * base_row, o + 2 * out_row
            remaining -= 2
        if remaining:
            _product_1(number, (x, left_row, m, step, panel, b, base_row, o, out_row, count))


@inlined
def _product_row(number: Any, panels: int, left: int, right: int, step: int, panel: int, base: int, out: int, count: int) -> None:  # fmt: skip  # noqa: E501
    """One row: several panels at once, or the sums would wait for each other."""
    at = 0
    while panels - at >= 4:
        m, b, o = right + at * panel, base + at * PANEL, out + at * PANEL
        _product_1_by_4(number, (left, 0, m, step, panel, b, 0, o, 0, count))
        at += 4
    while at < panels:
        m, b, o = right + at * panel, base + at * PANEL, out + at * PANEL
        _product_1(number, (left, 0, m, step, panel, b, 0, o, 0, count))
        at += 1


@inlined
def update(number: Any, rows: int, left: int, left_step: int, right: int, right_step: int, panel: int, count: int) -> None:  # fmt: skip  # noqa: E501
    """``panel -= left.T @ right`` for one panel of ``rows`` rows, from ``count`` examples."""
    x, place, remaining = left, panel, rows
    size = itemsize(number)
    while remaining >= WIDE:
        _update_wide(number, (x, left_step, right, right_step, place, PANEL, count))
        x, place, remaining = x + WIDE * size, place + WIDE * PANEL, remaining - WIDE
    while remaining >= 2:
        _update_2(number, (x, left_step, right, right_step, place, PANEL, count))
        x, place, remaining = x + 2 * size, place + 2 * PANEL, remaining - 2
    if remaining:
        _update_1(number, (x, left_step, right, right_step, place, PANEL, count))


@inlined
def dot(number: Any, rows: int, columns: int, left: int, left_row: int, right: int, right_row: int, right_panel: int, out: int, out_row: int, panels: int, scale: float, shift: float) -> None:  # fmt: skip  # noqa: E501
    """``out = scale * (left @ right.T) + shift``: ``rows`` times ``columns`` sums over ``panels`` panels.

    The panels of ``left`` lie side by side in its rows, those of ``right`` are ``right_panel`` bytes apart.
    """
    size = itemsize(number)
    x, o, remaining = left, out, rows
    while remaining >= DOT:
        m, to, more = right, o, columns
        while more >= 4:
            _dot_wide(number, (x, left_row, PANEL, m, right_row, right_panel, to, out_row, panels, scale, shift))
            m, to, more = m + 4 * right_row, to + 4 * size, more - 4
        while more:
            _dot_wide_by_1(number, (x, left_row, PANEL, m, right_row, right_panel, to, out_row, panels, scale, shift))
            m, to, more = m + right_row, to + size, more - 1
        x, o, remaining = x + DOT * left_row, o + DOT * out_row, remaining - DOT
    while remaining:
        m, to, more = right, o, columns
        while more >= 8:
            _dot_1_by_8(number, (x, left_row, PANEL, m, right_row, right_panel, to, out_row, panels, scale, shift))
            m, to, more = m + 8 * right_row, to + 8 * size, more - 8
        while more >= 2:
            _dot_1_by_2(number, (x, left_row, PANEL, m, right_row, right_panel, to, out_row, panels, scale, shift))
            m, to, more = m + 2 * right_row, to + 2 * size, more - 2
        if more:
            _dot_1(number, (x, left_row, PANEL, m, right_row, right_panel, to, out_row, panels, scale, shift))
        x, o, remaining = x + left_row, o + out_row, remaining - 1
