"""The plan of an epoch, and of the contract's three steps. Every thread runs the same plan on its own columns.

A window is as many batches as it takes for wide tiles; a chunk is as many rows as stay in cache. ``docs/fused.md``
derives why the updates of hidden layers may wait for the end of a window.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from typing import Any

from harness import Array
from harness_numba.fused.barrier import meet
from harness_numba.fused.emit import itemsize
from harness_numba.fused.layer import advance, below, correct, retreat, settle, settle_bias, settle_layer, share
from harness_numba.fused.outputs import blame, conclude, hand_down, learn
from harness_numba.fused.products import PANEL
from harness_numba.fused.rows import add_up, clear, slopes, values
from harness_numba.jit import inlined, kernel


@kernel
def train_epoch(number: Any, runs: Array, layers: Array, seats: Array, rate: float) -> bool:
    """One epoch: windows of batches, batches of chunks. ``False`` where the run was aborted."""
    run, seat = runs[0], seats[0]
    for start in range(0, run.rows, run.window):
        rows = min(run.window, run.rows - start)
        seat.start, seat.parity = start, 1 - seat.parity
        for first in range(0, rows, run.batch):
            seat.batch_first, seat.batch_last = first, min(first + run.batch, rows)
            if not _learn_batch(number, run, layers, seat, rows, rate):
                return False
        seat.old_start, seat.old_parity, seat.old_rows = start, seat.parity, rows
    for index in range(len(layers) - 1):
        settle_layer(number, run, layers, seat, index)
    return True


@inlined
def _learn_batch(number: Any, run: Any, layers: Any, seat: Any, rows: int, rate: float) -> bool:
    """Forward, outputs and back, chunk by chunk; then the last layer learns, and the others have it pending."""
    scale = rate / (seat.batch_last - seat.batch_first)
    for first in range(seat.batch_first, seat.batch_last, run.chunk):
        last = min(first + run.chunk, seat.batch_last)
        ahead = min(first + run.chunk, rows) if seat.batch_first == 0 else first
        if not _ascend(number, run, layers, seat, first, last, ahead):
            return False
        if not _return(number, run, layers, seat, first, last, scale):
            return False
    learn(number, run, layers, seat, 0)
    seat.past_parity, seat.past_first, seat.past_last = seat.parity, seat.batch_first, seat.batch_last
    return True


@kernel
def forward(number: Any, runs: Array, layers: Array, seats: Array, rate: float) -> bool:  # noqa: ARG001
    """The contract's forward: the rows of the run are one batch, and nothing is pending."""
    run, seat = runs[0], seats[0]
    for first in range(0, run.rows, run.chunk):
        last = min(first + run.chunk, run.rows)
        if not _ascend(number, run, layers, seat, first, last, last):
            return False
    return True


@kernel
def backprop(number: Any, runs: Array, layers: Array, seats: Array, rate: float) -> bool:
    """The contract's backprop after ``forward``: minus the gradients, times ``rate``, are added to the mirror."""
    run, seat = runs[0], seats[0]
    seat.batch_last = run.rows
    for first in range(0, run.rows, run.chunk):
        if not _return(number, run, layers, seat, first, min(first + run.chunk, run.rows), rate / run.rows):
            return False
    learn(number, run, layers, seat, run.mirror)
    for index in range(len(layers) - 1):
        layer = layers[index]
        x, x_row = below(run, layers, index, 0, 0, 0)
        begin, end = share(layer.panels, seat.me, run.team)
        for panel in range(begin, end):
            settle(number, run, layer, panel, x, x_row, layer.d, layer.row, run.rows, run.mirror)
            settle_bias(number, layer, panel, layer.d, run.rows, run.mirror)
    return True


@inlined
def _ascend(number: Any, run: Any, layers: Any, seat: Any, first: int, last: int, ahead: int) -> bool:
    """Forward, all layers. The inputs of the first are known, so it works ahead of the others in a window."""
    for index in range(len(layers) - 1):
        layer = layers[index]
        if index:
            if not _meet(run, seat):
                return False
            due = first == 0 if layer.delayed else first == seat.batch_first
            advance(number, run, layers, seat, index, first, last, due)
        elif ahead > first:
            advance(number, run, layers, seat, index, first, ahead, first == 0)
        if layer.delayed and seat.batch_first:
            correct(number, run, layers, seat, index, first, last)
        _activate(number, run, layer, seat, first, last)
    return conclude(number, run, layers, seat, first, last)


@inlined
def _return(number: Any, run: Any, layers: Any, seat: Any, first: int, last: int, scale: float) -> bool:
    """Back through all layers, from the outputs to the deltas of the first."""
    blame(number, run, layers, seat, first, last, scale)
    top = len(layers) - 1
    if top:
        hand_down(number, run, layers, seat, first, last)
        _slope(number, run, layers[top - 1], seat, first, last)
    for index in range(top - 1, 0, -1):
        retreat(number, run, layers, seat, index, first, last)
        if not _meet(run, seat):
            return False
        _gather(number, run, layers[index - 1], seat, first, last)
        _slope(number, run, layers[index - 1], seat, first, last)
    return True


@inlined
def _meet(run: Any, seat: Any) -> bool:
    seat.meetings += 1
    return meet(run.counter, run.team, seat.meetings, run.spins)


@inlined
def _activate(number: Any, run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """``a = f(z)`` of own neurons; the columns that pad the last panel are 0."""
    begin, end = share(layer.panels, seat.me, run.team)
    full = layer.neurons * itemsize(number)
    for row in range(first, last):
        at = seat.parity * layer.flip + row * layer.row
        values(number, layer, layer.z + at, layer.a + at, begin * PANEL, end * PANEL)
        clear(number, layer.a + at, max(full, begin * PANEL), end * PANEL)


@inlined
def _slope(number: Any, run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """``d *= f'(z)`` of own neurons."""
    begin, end = share(layer.panels, seat.me, run.team)
    for row in range(first, last):
        at = seat.parity * layer.flip + row * layer.row
        slopes(number, layer, layer.z + at, layer.a + at, layer.d + row * layer.row, begin * PANEL, end * PANEL)


@inlined
def _gather(number: Any, run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """``d``: the sum of what the columns of all threads of the layer above have to say of own neurons."""
    begin, end = share(layer.panels, seat.me, run.team)
    for row in range(first, last):
        partial = layer.partial + (row - first) * layer.partial_row
        out = layer.d + row * layer.row
        add_up(number, partial, layer.partial_own, run.team, run.zeros, out, begin * PANEL, end * PANEL)
