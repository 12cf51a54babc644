"""The operations of a layer, each on the columns that the calling thread owns. Run inside kernels.

``settle`` brings weights up to date, ``advance`` goes forward, ``correct`` adds what a delayed update has not yet
done, ``activate`` applies the activation. ``retreat`` goes back through a hidden layer.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from typing import Any

from harness_numba.fused.elementwise import take_columns
from harness_numba.fused.products import PANEL, dot, product, update
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
def settle(number: Any, run: Any, layer: Any, panel: int, left: int, left_row: int, right: int, right_row: int, rows: int, mirror: int) -> None:  # fmt: skip  # noqa: E501
    """``panel -= left.T @ right`` over ``rows`` examples, in pieces that stay in cache."""
    size = run.settled
    for first in range(0, rows, size):
        x, d = left + first * left_row, right + first * right_row + panel * PANEL
        target = layer.weights + mirror + panel * layer.panel
        update(number, layer.rows, x, left_row, d, right_row, target, min(size, rows - first))


@inlined
def settle_bias(number: Any, layer: Any, panel: int, right: int, rows: int, mirror: int) -> None:
    """``bias -= sum of right over rows``, for the neurons of one panel."""
    take_columns(number, (layer.bias + mirror + panel * PANEL, right + panel * PANEL, layer.row, rows))


@inlined
def pending(run: Any, layers: Any, seat: Any, index: int) -> tuple[int, int, int, int]:
    """Return what the weights of a hidden layer have yet to learn: input, its stride, deltas and rows."""
    layer = layers[index]
    if layer.delayed:
        left, left_row = below(run, layers, index, seat.old_start, seat.old_parity, 0)
        return left, left_row, layer.d, seat.old_rows
    left, left_row = below(run, layers, index, seat.old_start, seat.past_parity, seat.past_first)
    return left, left_row, layer.d + seat.past_first * layer.row, seat.past_last - seat.past_first


@inlined
def settle_layer(number: Any, run: Any, layers: Any, seat: Any, index: int) -> None:
    """Bring all own weights of a hidden layer up to date."""
    layer = layers[index]
    left, left_row, right, rows = pending(run, layers, seat, index)
    first, last = share(layer.panels, seat.me, run.team)
    for panel in range(first, last):
        settle(number, run, layer, panel, left, left_row, right, layer.row, rows, 0)
        settle_bias(number, layer, panel, right, rows, 0)


@inlined
def advance(number: Any, run: Any, layers: Any, seat: Any, index: int, first: int, last: int, due: bool) -> None:  # noqa: FBT001
    """``z = a W + b`` for rows of the window; where an update is due, panel by panel, so that W is read once."""
    layer = layers[index]
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, index, seat.start, seat.parity, first)
    z = layer.z + seat.parity * layer.flip + first * layer.row
    if not due:
        w, offset = layer.weights + begin * layer.panel, begin * PANEL
        product(number, last - first, end - begin, x, x_row, w, PANEL, layer.panel, layer.bias + offset, 0, z + offset, layer.row, layer.rows)  # fmt: skip  # noqa: E501
        return
    left, left_row, right, rows = pending(run, layers, seat, index)
    for panel in range(begin, end):
        settle(number, run, layer, panel, left, left_row, right, layer.row, rows, 0)
        settle_bias(number, layer, panel, right, rows, 0)
        w, offset = layer.weights + panel * layer.panel, panel * PANEL
        product(number, last - first, 1, x, x_row, w, PANEL, 0, layer.bias + offset, 0, z + offset, layer.row, layer.rows)  # fmt: skip  # noqa: E501


@inlined
def correct(number: Any, run: Any, layers: Any, seat: Any, index: int, first: int, last: int) -> None:
    """``z -= (x x_earlier.T + 1) d_earlier``: what the earlier batches of the window have changed in W and b."""
    layer, earlier = layers[index], seat.batch_first
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, index, seat.start, seat.parity, first)
    x_earlier, _ = below(run, layers, index, seat.start, seat.parity, 0)
    s = run.similar + seat.me * run.similar_own
    dot(number, last - first, earlier, x, x_row, x_earlier, x_row, PANEL, s, run.similar_row, layer.terms, -1.0, -1.0)
    z = layer.z + seat.parity * layer.flip + first * layer.row + begin * PANEL
    d = layer.d + begin * PANEL
    product(number, last - first, end - begin, s, run.similar_row, d, layer.row, PANEL, z, layer.row, z, layer.row, earlier)  # fmt: skip  # noqa: E501


@inlined
def retreat(number: Any, run: Any, layers: Any, seat: Any, index: int, first: int, last: int) -> None:
    """``partial = d W.T`` over own columns, with ``- (d d_earlier.T) a_earlier`` where the update of W is delayed."""
    layer, lower = layers[index], layers[index - 1]
    begin, end = share(layer.panels, seat.me, run.team)
    d = layer.d + first * layer.row + begin * PANEL
    out, rows, panels = lower.partial + seat.me * lower.partial_own, last - first, end - begin
    w = layer.weights + begin * layer.panel
    dot(number, rows, layer.rows, d, layer.row, w, PANEL, layer.panel, out, lower.partial_row, panels, 1.0, 0.0)
    earlier = seat.batch_first
    if layer.delayed and earlier:
        s, d_earlier = run.similar + seat.me * run.similar_own, layer.d + begin * PANEL
        dot(number, rows, earlier, d, layer.row, d_earlier, layer.row, PANEL, s, run.similar_row, panels, -1.0, 0.0)
        a, a_row = below(run, layers, index, seat.start, seat.parity, 0)
        product(number, rows, lower.panels, s, run.similar_row, a, a_row, PANEL, out, lower.partial_row, out, lower.partial_row, earlier)  # fmt: skip  # noqa: E501
