"""The operations of a hidden layer, each on the columns that the calling thread owns. Used inside kernels.

``settle`` applies a delayed update to the weights, ``advance`` computes ``z``, ``correct`` adds to it what a delayed
update would have changed, and ``retreat`` computes the deltas of the layer below. ``x`` is the input of a layer; ``z``,
``a`` and ``d`` are its own rows.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from typing import Any

from harness_numba.fused.native import call
from harness_numba.fused.products import PANEL, WIDE
from harness_numba.jit import inlined

GROUP = 4
"""Panels that a few rows are multiplied by together, forward and back."""
FEW = WIDE
"""With fewer rows than this, reading the weights takes longest."""


@inlined
def share(panels: int, me: int, team: int) -> tuple[int, int]:
    """Return the first panel of a thread, and the one after its last."""
    return me * panels // team, (me + 1) * panels // team


@inlined
def below(run: Any, layers: Any, index: int, start: int, parity: int, row: int) -> tuple[int, int]:
    """Return the address and the stride of a layer's input from ``row`` of a window on."""
    if index == 0:
        return run.x + (start + row) * run.x_row, run.x_row
    lower = layers[index - 1]
    return lower.a + parity * lower.flip + row * lower.row, lower.row


@inlined
def settle(run: Any, layer: Any, begin: int, end: int, pending: tuple[int, int, int, int], mirror: int) -> None:
    """Apply the pending update to panels of weights and their biases; with ``mirror``, add up gradients instead."""
    x, x_row, d, rows = pending
    for first in range(0, rows, run.settled):
        left, count = x + first * x_row, min(run.settled, rows - first)
        for panel in range(begin, end):
            w, right = layer.weights + mirror + panel * layer.panel, d + first * layer.row + panel * PANEL
            call(run.update, (layer.rows, left, x_row, right, layer.row, w, count))
    call(run.take, (layer.bias + mirror, d, layer.row, rows, begin * PANEL, end * PANEL))


@inlined
def pending(run: Any, layers: Any, seat: Any, index: int) -> tuple[int, int, int, int]:
    """Return the pending update of a hidden layer's weights: inputs, their stride, deltas and the number of rows."""
    x, x_row = below(run, layers, index, seat.old_start, seat.old_parity, 0)
    return x, x_row, layers[index].d, seat.old_rows


@inlined
def advance(run: Any, layers: Any, seat: Any, index: int, first: int, last: int) -> None:
    """Compute ``z = x W + b`` for rows of the window. The first rows also update W, so that it is read only once."""
    layer = layers[index]
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, index, seat.start, seat.parity, first)
    z = layer.z + seat.parity * layer.flip + first * layer.row
    learnt = pending(run, layers, seat, index)
    rows = learnt[3] if first == 0 else 0
    step = 1 if rows and rows <= run.together else max(end - begin, 1)
    for panel in range(begin, end, step):
        if rows:
            settle(run, layer, panel, panel + step, learnt, 0)
        w, at = layer.weights + panel * layer.panel, panel * PANEL
        forward = (last - first, step, x, x_row, w, PANEL, layer.panel)
        call(run.product, (*forward, layer.bias + at, 0, z + at, layer.row, layer.rows))


@inlined
def correct(run: Any, layers: Any, seat: Any, index: int, first: int, last: int) -> None:
    """Compute ``z -= (x x_earlier.T + 1) d_earlier``, which the earlier batches of the window change in W and b."""
    layer, earlier, rows = layers[index], seat.batch_first, last - first
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, index, seat.start, seat.parity, first)
    x_earlier, _ = below(run, layers, index, seat.start, seat.parity, 0)
    s, s_row = run.similar + seat.me * run.similar_own, run.similar_row
    call(run.dot, (rows, earlier, x, x_row, x_earlier, x_row, PANEL, s, s_row, layer.terms, run.zeros, 0, -1.0, -1.0))
    z = layer.z + seat.parity * layer.flip + first * layer.row + begin * PANEL
    d = layer.d + begin * PANEL
    call(run.product, (rows, end - begin, s, s_row, d, layer.row, PANEL, z, layer.row, z, layer.row, earlier))


@inlined
def retreat(run: Any, layers: Any, seat: Any, index: int, first: int, last: int) -> None:
    """Compute ``partial = d W.T`` over own columns, minus ``(d d_earlier.T) x_earlier`` for the delayed update."""
    layer, lower, rows = layers[index], layers[index - 1], last - first
    begin, end = share(layer.panels, seat.me, run.team)
    panels = end - begin
    d, d_row = layer.d + first * layer.row + begin * PANEL, layer.row
    copy = lower.partial + (seat.meetings % 2) * lower.partial_flip
    out, out_row = copy + seat.me * lower.partial_own, lower.partial_row
    w = layer.weights + begin * layer.panel
    _back(run, layer, rows, d, w, panels, out, out_row)
    if seat.batch_first:
        s, s_row, earlier = run.similar + seat.me * run.similar_own, run.similar_row, seat.batch_first
        call(
            run.dot,
            (rows, earlier, d, d_row, layer.d + begin * PANEL, d_row, PANEL, s, s_row, panels, run.zeros, 0, -1.0, 0.0),
        )
        x, x_row = below(run, layers, index, seat.start, seat.parity, 0)
        call(run.product, (rows, lower.panels, s, s_row, x, x_row, PANEL, out, out_row, out, out_row, earlier))


@inlined
def _back(run: Any, layer: Any, rows: int, d: int, w: int, panels: int, out: int, out_row: int) -> None:
    """Compute ``out = d W.T``. A few rows are multiplied by the panels from the last to the first.

    The last panels are still in the cache after the forward pass, and the next forward pass finds the first ones there.
    """
    if rows >= FEW or panels <= GROUP:
        own = (rows, layer.rows, d, layer.row, w, PANEL, layer.panel, out, out_row, panels)
        call(run.dot, (*own, run.zeros, 0, 1.0, 0.0))
        return
    last = (panels - 1) // GROUP * GROUP
    for first in range(last, -1, -GROUP):
        left, right = d + first * PANEL, w + first * layer.panel
        base, base_row = (run.zeros, 0) if first == last else (out, out_row)
        group = (rows, layer.rows, left, layer.row, right, PANEL, layer.panel, out, out_row, min(GROUP, panels - first))
        call(run.dot, (*group, base, base_row, 1.0, 0.0))
