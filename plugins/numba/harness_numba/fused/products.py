"""Matrix products of any size, made of tiles: the widest tile while it fits, then narrower ones. Used inside kernels.

The addresses, strides and counts of a product are one tuple, in the order in which its tiles take them.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from typing import Any, TypeAlias

from harness_numba.fused import tiles
from harness_numba.fused.emit import emitted, itemsize
from harness_numba.fused.isa import KERNELS
from harness_numba.jit import inlined

PANEL = KERNELS.panel_bytes
WIDE = KERNELS.product_rows
DOT = KERNELS.dot_rows
BY_4, BY_2 = KERNELS.panels_by_4, KERNELS.panels_by_2
"""How many panels a tile of four rows, and one of two rows, takes together."""

_product_wide = emitted(tiles.product(WIDE, 1))
_product_4 = emitted(tiles.product(4, 1))
_product_2 = emitted(tiles.product(2, 1))
_product_1 = emitted(tiles.product(1, 1))
_product_4_by_2 = emitted(tiles.product(4, BY_4))
_product_2_by_4 = emitted(tiles.product(2, BY_2))
_product_1_by_4 = emitted(tiles.product(1, 4))
_update_wide = emitted(tiles.update(WIDE))
_update_2 = emitted(tiles.update(2))
_update_1 = emitted(tiles.update(1))
_dot_wide = emitted(tiles.dot(DOT, 4))
_dot_2 = emitted(tiles.dot(2, 4))
_dot_1 = emitted(tiles.dot(1, 4))
_dot_wide_by_1 = emitted(tiles.dot(DOT, 1))
_dot_1_by_8 = emitted(tiles.dot(1, 8))
_dot_1_by_1 = emitted(tiles.dot(1, 1))

Product: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int]
"""``left, left_row, right, step, panel, base, base_row, out, out_row, count``; see ``tiles.product``."""
Dot: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, int, float, float]
"""``left, left_row, left_panel, right, right_row, right_panel, out, out_row, count, base, base_row, scale, shift``."""


@inlined
def product(number: Any, rows: int, panels: int, at: Product) -> None:
    """Compute ``out = base + left @ right`` for ``rows`` rows and ``panels`` panels, with ``count`` terms in each sum.

    Panels of ``out`` and ``base`` lie side by side. Panels of ``right`` are ``panel`` bytes apart, its rows ``step``.
    """
    if rows < WIDE:
        while panels >= 4:
            _few_rows(number, rows, at)
            at, panels = _product_at(at, 0, 4), panels - 4
    while panels > 0:
        _one_panel(number, rows, at)
        at, panels = _product_at(at, 0, 1), panels - 1


@inlined
def _product_at(at: Product, rows: int, panels: int) -> Product:
    """Return the product that begins ``rows`` rows further down and ``panels`` panels further to the right."""
    left, left_row, right, step, panel, base, base_row, out, out_row, count = at
    base, out = base + rows * base_row + panels * PANEL, out + rows * out_row + panels * PANEL
    return left + rows * left_row, left_row, right + panels * panel, step, panel, base, base_row, out, out_row, count


@inlined
def _one_panel(number: Any, rows: int, at: Product) -> None:
    """Multiply all rows by one panel, which stays in the nearest cache."""
    while rows >= WIDE:
        _product_wide(number, at)
        at, rows = _product_at(at, WIDE, 0), rows - WIDE
    if rows >= 4:
        _product_4(number, at)
        at, rows = _product_at(at, 4, 0), rows - 4
    if rows >= 2:
        _product_2(number, at)
        at, rows = _product_at(at, 2, 0), rows - 2
    if rows:
        _product_1(number, at)


@inlined
def _few_rows(number: Any, rows: int, at: Product) -> None:
    """Multiply fewer rows than a full tile by four panels; with one panel, each sum would wait for the one before."""
    if rows >= 4:
        for panel in range(0, 4, BY_4):
            _product_4_by_2(number, _product_at(at, 0, panel))
        at, rows = _product_at(at, 4, 0), rows - 4
    if rows >= 2:
        for panel in range(0, 4, BY_2):
            _product_2_by_4(number, _product_at(at, 0, panel))
        at, rows = _product_at(at, 2, 0), rows - 2
    if rows:
        _product_1_by_4(number, at)


@inlined
def update(
    number: Any, rows: int, left: int, left_step: int, right: int, right_step: int, panel: int, count: int
) -> None:
    """Compute ``panel -= left.T @ right`` for one panel of ``rows`` rows, from ``count`` examples."""
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
def dot(number: Any, rows: int, columns: int, at: Dot) -> None:
    """Compute ``out = base + scale * (left @ right.T) + shift``: ``rows * columns`` sums over ``count`` panels.

    All rows are multiplied by a few columns before the next columns, because ``right`` may be weights that are too
    large for the cache.
    """
    while rows == 1 and columns >= 8:
        _dot_1_by_8(number, at)
        at, columns = _dot_at(number, at, 0, 8), columns - 8
    while columns >= 4:
        _four_columns(number, rows, at)
        at, columns = _dot_at(number, at, 0, 4), columns - 4
    while columns > 0:
        _one_column(number, rows, at)
        at, columns = _dot_at(number, at, 0, 1), columns - 1


@inlined
def _dot_at(number: Any, at: Dot, rows: int, columns: int) -> Dot:
    """Return the sums that begin ``rows`` rows further down and ``columns`` columns further to the right."""
    left, left_row, left_panel, right, right_row, right_panel, out, out_row, count, base, base_row, scale, shift = at
    left, right, across = left + rows * left_row, right + columns * right_row, columns * itemsize(number)
    out, base = out + rows * out_row + across, base + rows * base_row + across
    return left, left_row, left_panel, right, right_row, right_panel, out, out_row, count, base, base_row, scale, shift


@inlined
def _four_columns(number: Any, rows: int, at: Dot) -> None:
    while rows >= DOT:
        _dot_wide(number, at)
        at, rows = _dot_at(number, at, DOT, 0), rows - DOT
    if rows >= 2:
        _dot_2(number, at)
        at, rows = _dot_at(number, at, 2, 0), rows - 2
    if rows:
        _dot_1(number, at)


@inlined
def _one_column(number: Any, rows: int, at: Dot) -> None:
    while rows >= DOT:
        _dot_wide_by_1(number, at)
        at, rows = _dot_at(number, at, DOT, 0), rows - DOT
    while rows:
        _dot_1_by_1(number, at)
        at, rows = _dot_at(number, at, 1, 0), rows - 1
