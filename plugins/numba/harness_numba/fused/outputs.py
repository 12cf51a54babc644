"""The last layer. Its weights are stored transposed, and each thread owns the rows of its own hidden neurons.

So a thread needs only the partial sums of a few outputs from the others, and one barrier for each batch is enough. Then
every thread computes all outputs and their deltas itself. Used inside kernels.
"""

from __future__ import annotations

from typing import Any

from harness_numba.fused.barrier import meet
from harness_numba.fused.layer import below, share
from harness_numba.fused.native import call
from harness_numba.fused.products import PANEL
from harness_numba.jit import inlined


@inlined
def conclude(run: Any, layers: Any, seat: Any, first: int, last: int) -> bool:
    """Compute ``z = x W + b`` and ``a = f(z)`` of the last layer: own partial sums, a barrier, then all outputs.

    Return ``False`` if the run was aborted.
    """
    top = len(layers) - 1
    layer, rows = layers[top], last - first
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, top, seat.start, seat.parity, first)
    w, row = layer.weights + begin * layer.panel, layer.row
    partial = layer.partial + (seat.meetings % 2) * layer.partial_flip
    out = partial + seat.me * layer.partial_own
    sums = (x + begin * PANEL, x_row, w, PANEL, layer.panel, out, row, end - begin, run.zeros, 0, 1.0, 0.0)
    call(run.dot, (rows, layer.rows, *sums))
    seat.meetings += 1
    if not meet(run.counter, run.team, seat.meetings, run.spins):
        return False
    at, bias = seat.me * layer.own + first * row, layer.bias + seat.me * layer.bias_own
    call(run.gather, (partial, layer.partial_own, run.team, bias, layer.z + at, row, rows, 0, row))
    call(run.values, (layer.kind, layer.value, layer.z + at, layer.a + at, row, rows, 0, row, row))
    return True


@inlined
def blame(run: Any, layers: Any, seat: Any, first: int, last: int, scale: float) -> None:
    """Compute ``d`` of the outputs times ``scale``, which is the rate divided by the rows of the batch."""
    layer = layers[len(layers) - 1]
    at = seat.me * layer.own + first * layer.row
    z, a, d = layer.z + at, layer.a + at, layer.d + at
    y = run.y + (seat.start + first) * run.y_row
    where = (z, a, y, d, layer.row, run.y_row, last - first)
    call(run.deltas, (run.loss, layer.kind, layer.slope, *where, layer.neurons, scale))


@inlined
def hand_down(run: Any, layers: Any, seat: Any, first: int, last: int) -> None:
    """Compute ``d W.T`` for own neurons of the layer below. W is stored transposed, so this is a plain product."""
    top = len(layers) - 1
    layer, lower = layers[top], layers[top - 1]
    begin, end = share(layer.panels, seat.me, run.team)
    d = layer.d + seat.me * layer.own + first * layer.row
    w, out = layer.weights + begin * layer.panel, lower.d + first * lower.row + begin * PANEL
    back = (last - first, end - begin, d, layer.row, w, PANEL, layer.panel, run.zeros, 0, out, lower.row)
    call(run.product, (*back, layer.rows))


@inlined
def learn(run: Any, layers: Any, seat: Any, mirror: int) -> None:
    """Update own weights of the last layer and the own copy of its bias with the batch."""
    top = len(layers) - 1
    layer, first, rows = layers[top], seat.batch_first, seat.batch_last - seat.batch_first
    begin, end = share(layer.panels, seat.me, run.team)
    d = layer.d + seat.me * layer.own + first * layer.row
    x, x_row = below(run, layers, top, seat.start, seat.parity, first)
    for panel in range(begin, end):
        w = layer.weights + mirror + panel * layer.panel
        for at in range(0, rows, run.settled):
            left, right = d + at * layer.row, x + at * x_row + panel * PANEL
            call(run.update, (layer.rows, left, layer.row, right, x_row, w, min(run.settled, rows - at)))
    call(run.take, (layer.bias + seat.me * layer.bias_own + mirror, d, layer.row, rows, 0, layer.row))
