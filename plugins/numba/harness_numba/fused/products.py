"""Matrix products of any size out of tiles: the widest tile while it fits, then narrower ones. Run inside kernels.

Long only because kernels take their dozen addresses and strides one by one.
"""
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
BY_4, BY_2 = KERNELS.panels_by_4, KERNELS.panels_by_2
"""Panels that tiles of four and of two rows take together."""

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


@inlined
def product(
    number: Any,
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
    """``out = base + left @ right``: ``rows`` rows times ``panels`` panels, ``count`` terms in each sum.

    Panels of ``out`` and ``base`` lie side by side, those of ``right`` ``panel`` bytes apart and its rows ``step``.
    """
    at = 0
    if rows < WIDE:
        while panels - at >= 4:
            b, o, m = base + at * PANEL, out + at * PANEL, right + at * panel
            _few_rows(number, rows, left, left_row, m, step, panel, b, base_row, o, out_row, count)
            at += 4
    while at < panels:
        b, o, m = base + at * PANEL, out + at * PANEL, right + at * panel
        _one_panel(number, rows, left, left_row, m, step, panel, b, base_row, o, out_row, count)
        at += 1


@inlined
def _one_panel(
    number: Any,
    rows: int,
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
    """All rows times one panel, which a near cache keeps meanwhile."""
    x, b, o, remaining = left, base, out, rows
    while remaining >= WIDE:
        _product_wide(number, (x, left_row, right, step, panel, b, base_row, o, out_row, count))
        x, b, o = x + WIDE * left_row, b + WIDE * base_row, o + WIDE * out_row
        remaining -= WIDE
    if remaining >= 4:
        _product_4(number, (x, left_row, right, step, panel, b, base_row, o, out_row, count))
        x, b, o = x + 4 * left_row, b + 4 * base_row, o + 4 * out_row
        remaining -= 4
    if remaining >= 2:
        _product_2(number, (x, left_row, right, step, panel, b, base_row, o, out_row, count))
        x, b, o = x + 2 * left_row, b + 2 * base_row, o + 2 * out_row
        remaining -= 2
    if remaining:
        _product_1(number, (x, left_row, right, step, panel, b, base_row, o, out_row, count))


@inlined
def _few_rows(
    number: Any,
    rows: int,
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
    """Four panels for less than a full tile of rows: with one panel the sums would wait for each other."""
    x, b, o, remaining = left, base, out, rows
    if remaining >= 4:
        for at in range(0, 4, BY_4):
            m, bs, os = right + at * panel, b + at * PANEL, o + at * PANEL
            _product_4_by_2(number, (x, left_row, m, step, panel, bs, base_row, os, out_row, count))
        x, b, o, remaining = x + 4 * left_row, b + 4 * base_row, o + 4 * out_row, remaining - 4
    if remaining >= 2:
        for at in range(0, 4, BY_2):
            m, bs, os = right + at * panel, b + at * PANEL, o + at * PANEL
            _product_2_by_4(number, (x, left_row, m, step, panel, bs, base_row, os, out_row, count))
        x, b, o, remaining = x + 2 * left_row, b + 2 * base_row, o + 2 * out_row, remaining - 2
    if remaining:
        _product_1_by_4(number, (x, left_row, right, step, panel, b, base_row, o, out_row, count))


@inlined
def update(
    number: Any, rows: int, left: int, left_step: int, right: int, right_step: int, panel: int, count: int
) -> None:
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
def dot(
    number: Any,
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
    """``out = base + scale * (left @ right.T) + shift``: ``rows`` times ``columns`` sums over ``panels`` panels.

    The panels of ``left`` lie side by side in its rows, those of ``right`` are ``right_panel`` bytes apart. All rows
    are done with a few columns before the next, because ``right`` may be weights that no cache holds.
    """
    size = itemsize(number)
    m, to, b, more = right, out, base, columns
    while rows == 1 and more >= 8:
        _dot_1_by_8(
            number, (left, left_row, PANEL, m, right_row, right_panel, to, out_row, panels, b, base_row, scale, shift)
        )
        m, to, b, more = m + 8 * right_row, to + 8 * size, b + 8 * size, more - 8
    while more >= 4:
        _four_columns(
            number, rows, left, left_row, m, right_row, right_panel, to, out_row, panels, b, base_row, scale, shift
        )
        m, to, b, more = m + 4 * right_row, to + 4 * size, b + 4 * size, more - 4
    while more:
        _one_column(
            number, rows, left, left_row, m, right_row, right_panel, to, out_row, panels, b, base_row, scale, shift
        )
        m, to, b, more = m + right_row, to + size, b + size, more - 1


@inlined
def _four_columns(
    number: Any,
    rows: int,
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
    x, o, b, remaining = left, out, base, rows
    while remaining >= DOT:
        _dot_wide(
            number, (x, left_row, PANEL, right, right_row, right_panel, o, out_row, panels, b, base_row, scale, shift)
        )
        x, o, b = x + DOT * left_row, o + DOT * out_row, b + DOT * base_row
        remaining -= DOT
    if remaining >= 2:
        _dot_2(
            number, (x, left_row, PANEL, right, right_row, right_panel, o, out_row, panels, b, base_row, scale, shift)
        )
        x, o, b, remaining = x + 2 * left_row, o + 2 * out_row, b + 2 * base_row, remaining - 2
    if remaining:
        _dot_1(
            number, (x, left_row, PANEL, right, right_row, right_panel, o, out_row, panels, b, base_row, scale, shift)
        )


@inlined
def _one_column(
    number: Any,
    rows: int,
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
    x, o, b, remaining = left, out, base, rows
    while remaining >= DOT:
        _dot_wide_by_1(
            number, (x, left_row, PANEL, right, right_row, right_panel, o, out_row, panels, b, base_row, scale, shift)
        )
        x, o, b = x + DOT * left_row, o + DOT * out_row, b + DOT * base_row
        remaining -= DOT
    while remaining:
        _dot_1_by_1(
            number, (x, left_row, PANEL, right, right_row, right_panel, o, out_row, panels, b, base_row, scale, shift)
        )
        x, o, b, remaining = x + left_row, o + out_row, b + base_row, remaining - 1
