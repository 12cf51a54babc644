"""The operations of a hidden layer, each on the columns that the calling thread owns. Run inside kernels.

``settle`` brings weights up to date, ``advance`` goes forward, ``correct`` adds what a delayed update has not yet
done, ``retreat`` goes back. ``x`` is what a layer takes, ``z``, ``a`` and ``d`` are its own rows.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from typing import Any

from harness_numba.fused.native import call
from harness_numba.fused.products import PANEL
from harness_numba.jit import inlined


@inlined
def share(panels: int, me: int, team: int) -> tuple[int, int]:
    """Return the panels of a thread: first and last."""
    return me * panels // team, (me + 1) * panels // team


@inlined
def below(run: Any, layers: Any, index: int, start: int, parity: int, row: int) -> tuple[int, int]:
    """Return the address and the stride of what a layer takes, from ``row`` of a window on."""
    if index == 0:
        return run.x + (start + row) * run.x_row, run.x_row
    lower = layers[index - 1]
    return lower.a + parity * lower.flip + row * lower.row, lower.row


@inlined
def settle(run: Any, layer: Any, panel: int, left: int, left_row: int, right: int, right_row: int, rows: int) -> None:
    """``panel -= left.T @ right`` over ``rows`` examples, in pieces that stay in cache."""
    for first in range(0, rows, run.settled):
        x, d = left + first * left_row, right + first * right_row
        call(run.update, (layer.rows, x, left_row, d, right_row, panel, min(run.settled, rows - first)))


@inlined
def settle_panel(run: Any, layer: Any, panel: int, pending: tuple[int, int, int, int], mirror: int) -> None:
    """Bring one panel of weights, and its biases, up to date; with ``mirror`` their gradients are added up instead."""
    x, x_row, d, rows = pending
    offset = panel * PANEL
    settle(run, layer, layer.weights + mirror + panel * layer.panel, x, x_row, d + offset, layer.row, rows)
    call(run.take, (layer.bias + mirror, d, layer.row, rows, offset, offset + PANEL))


@inlined
def pending(run: Any, layers: Any, seat: Any, index: int) -> tuple[int, int, int, int]:
    """Return what the weights of a hidden layer have yet to learn: inputs, their stride, deltas and rows."""
    layer = layers[index]
    if layer.delayed:
        x, x_row = below(run, layers, index, seat.old_start, seat.old_parity, 0)
        return x, x_row, layer.d, seat.old_rows
    x, x_row = below(run, layers, index, seat.old_start, seat.past_parity, seat.past_first)
    return x, x_row, layer.d + seat.past_first * layer.row, seat.past_last - seat.past_first


@inlined
def settle_layer(run: Any, layer: Any, me: int, pending: tuple[int, int, int, int], mirror: int) -> None:
    """Bring all own weights of a hidden layer up to date."""
    begin, end = share(layer.panels, me, run.team)
    for panel in range(begin, end):
        settle_panel(run, layer, panel, pending, mirror)


@inlined
def advance(run: Any, layers: Any, seat: Any, index: int, first: int, last: int, due: bool) -> None:  # noqa: FBT001
    """``z = x W + b`` for rows of the window; where an update is due, panel by panel, so that W is read once."""
    layer = layers[index]
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, index, seat.start, seat.parity, first)
    z = layer.z + seat.parity * layer.flip + first * layer.row
    learnt = pending(run, layers, seat, index)
    step = 1 if due and learnt[3] else end - begin
    for panel in range(begin, end, max(step, 1)):
        if due:
            settle_panel(run, layer, panel, learnt, 0)
        w, at = layer.weights + panel * layer.panel, panel * PANEL
        forward = (last - first, step, x, x_row, w, PANEL, layer.panel)
        call(run.product, (*forward, layer.bias + at, 0, z + at, layer.row, layer.rows))


@inlined
def correct(run: Any, layers: Any, seat: Any, index: int, first: int, last: int) -> None:
    """``z -= (x x_earlier.T + 1) d_earlier``: what the earlier batches of the window have changed in W and b."""
    layer, earlier, rows = layers[index], seat.batch_first, last - first
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, index, seat.start, seat.parity, first)
    x_earlier, _ = below(run, layers, index, seat.start, seat.parity, 0)
    s, s_row = run.similar + seat.me * run.similar_own, run.similar_row
    call(run.dot, (rows, earlier, x, x_row, x_earlier, x_row, PANEL, s, s_row, layer.terms, -1.0, -1.0))
    z = layer.z + seat.parity * layer.flip + first * layer.row + begin * PANEL
    d = layer.d + begin * PANEL
    call(run.product, (rows, end - begin, s, s_row, d, layer.row, PANEL, z, layer.row, z, layer.row, earlier))


@inlined
def retreat(run: Any, layers: Any, seat: Any, index: int, first: int, last: int) -> None:
    """``partial = d W.T`` over own columns, with ``- (d d_earlier.T) x_earlier`` where the update of W is delayed."""
    layer, lower, rows = layers[index], layers[index - 1], last - first
    begin, end = share(layer.panels, seat.me, run.team)
    panels = end - begin
    d, d_row = layer.d + first * layer.row + begin * PANEL, layer.row
    out, out_row = lower.partial + seat.me * lower.partial_own, lower.partial_row
    w = layer.weights + begin * layer.panel
    call(run.dot, (rows, layer.rows, d, d_row, w, PANEL, layer.panel, out, out_row, panels, 1.0, 0.0))
    if layer.delayed and seat.batch_first:
        s, s_row, earlier = run.similar + seat.me * run.similar_own, run.similar_row, seat.batch_first
        call(run.dot, (rows, earlier, d, d_row, layer.d + begin * PANEL, d_row, PANEL, s, s_row, panels, -1.0, 0.0))
        x, x_row = below(run, layers, index, seat.start, seat.parity, 0)
        call(run.product, (rows, lower.panels, s, s_row, x, x_row, PANEL, out, out_row, out, out_row, earlier))
