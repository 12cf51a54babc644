"""The last layer: its weights lie transposed, and each thread owns the rows that belong to its own hidden neurons.

So a thread needs of the others only their partial sums of a few outputs, and one meeting a batch is enough. Every
thread then computes all outputs and their deltas for itself. Run inside kernels.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness_numba.fused.barrier import meet
from harness_numba.fused.elementwise import error_vector, put_number
from harness_numba.fused.emit import itemsize
from harness_numba.fused.layer import below, settle, share
from harness_numba.fused.products import PANEL, dot, product
from harness_numba.fused.rows import VECTOR, add_up, get, slopes, values
from harness_numba.jit import inlined
from harness_numba.pointwise import BCE, CE, SIGMOID


@inlined
def conclude(number: Any, run: Any, layers: Any, seat: Any, first: int, last: int) -> bool:
    """``z = a W + b`` and ``a = f(z)`` of the last layer: partial sums, a meeting, then all of it by every thread."""
    top = len(layers) - 1
    layer, flip = layers[top], (seat.meetings % 2) * layers[top].partial_flip
    begin, end = share(layer.panels, seat.me, run.team)
    x, x_row = below(run, layers, top, seat.start, seat.parity, first)
    w, out = layer.weights + begin * layer.panel, layer.partial + flip + seat.me * layer.partial_own
    x += begin * PANEL
    dot(number, last - first, layer.rows, x, x_row, w, PANEL, layer.panel, out, layer.partial_row, end - begin, 1.0, 0.0)  # fmt: skip  # noqa: E501
    seat.meetings += 1
    if not meet(run.counter, run.team, seat.meetings, run.spins):
        return False
    mine, bias = seat.me * layer.own, layer.bias + seat.me * layer.bias_own
    for row in range(first, last):
        z, a = layer.z + mine + row * layer.row, layer.a + mine + row * layer.row
        partial = layer.partial + flip + (row - first) * layer.partial_row
        add_up(number, partial, layer.partial_own, run.team, bias, z, 0, layer.partial_row)
        values(number, layer, z, a, 0, layer.partial_row)
    return True


@inlined
def blame(number: Any, run: Any, layers: Any, seat: Any, first: int, last: int, scale: float) -> None:
    """``delta`` of the outputs, times ``scale``: the rate over the rows of the batch."""
    layer = layers[len(layers) - 1]
    mine = seat.me * layer.own
    for row in range(first, last):
        at = mine + row * layer.row
        z, a, d = layer.z + at, layer.a + at, layer.d + at
        y = run.y + (seat.start + row) * run.y_row
        _delta(number, run.loss, layer, z, a, y, d, scale)


@inlined
def _delta(number: Any, loss: int, layer: Any, z: int, a: int, y: int, d: int, scale: float) -> None:
    if loss == CE:
        _softmax(number, a, d, layer.neurons)
        a = d
    factor = scale if loss in (BCE, CE) else 2.0 * scale
    for at in range(0, layer.partial_row, VECTOR):
        error_vector(number, (a + at, y + at, d + at, factor))
    if loss == CE or (loss == BCE and layer.kind == SIGMOID):
        return
    slopes(number, layer, z, a, d, 0, layer.partial_row)
    if loss == BCE:
        for at in range(0, layer.neurons * itemsize(number), itemsize(number)):
            output = np.float64(get(number, a + at))
            inside = output > 0.0 and output < 1.0
            put_number(number, (d + at, get(number, d + at) / (output * (1.0 - output)) if inside else 0.0))


@inlined
def _softmax(number: Any, a: int, out: int, neurons: int) -> None:
    """Shifted by the maximum, so that nothing overflows."""
    size = itemsize(number)
    top = np.float64(get(number, a))
    for at in range(size, neurons * size, size):
        top = max(top, np.float64(get(number, a + at)))
    total = 0.0
    for at in range(0, neurons * size, size):
        e = math.exp(get(number, a + at) - top)
        put_number(number, (out + at, e))
        total += e
    for at in range(0, neurons * size, size):
        put_number(number, (out + at, get(number, out + at) / total))


@inlined
def hand_down(number: Any, run: Any, layers: Any, seat: Any, first: int, last: int) -> None:
    """``d W.T`` for own neurons of the layer below; W lies transposed, so this is a plain product."""
    top = len(layers) - 1
    layer, lower = layers[top], layers[top - 1]
    begin, end = share(layer.panels, seat.me, run.team)
    d = layer.d + seat.me * layer.own + first * layer.row
    w, out = layer.weights + begin * layer.panel, lower.d + first * lower.row + begin * PANEL
    product(number, last - first, end - begin, d, layer.row, w, PANEL, layer.panel, run.zeros, 0, out, lower.row, layer.rows)  # fmt: skip  # noqa: E501


@inlined
def learn(number: Any, run: Any, layers: Any, seat: Any, mirror: int) -> None:
    """Update own weights of the last layer, and the own copy of its bias, by the batch."""
    top = len(layers) - 1
    layer, first, last = layers[top], seat.batch_first, seat.batch_last
    begin, end = share(layer.panels, seat.me, run.team)
    d = layer.d + seat.me * layer.own + first * layer.row
    x, x_row = below(run, layers, top, seat.start, seat.parity, first)
    for panel in range(begin, end):
        settle(number, run, layer, panel, d, layer.row, x, x_row, last - first, mirror)
    bias = layer.bias + seat.me * layer.bias_own + mirror
    for row in range(last - first):
        for at in range(0, layer.partial_row, VECTOR):
            error_vector(number, (bias + at, d + row * layer.row + at, bias + at, 1.0))
