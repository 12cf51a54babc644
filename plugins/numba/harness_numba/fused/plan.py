"""The plan of an epoch, and of the contract's three steps. Every thread runs the same plan on its own columns.

A window is as many batches as it takes for wide tiles; a chunk is as many rows as stay in cache. ``docs/fused.md``
derives why the updates of hidden layers may wait for the end of a window.
"""

from __future__ import annotations

from typing import Any

from harness import Array
from harness_numba.fused.barrier import meet
from harness_numba.fused.layer import advance, below, correct, pending, retreat, settle, share
from harness_numba.fused.native import call
from harness_numba.fused.outputs import blame, conclude, hand_down, learn
from harness_numba.fused.products import PANEL
from harness_numba.jit import inlined, kernel


@kernel
def train_epoch(runs: Array, layers: Array, seats: Array, rate: float) -> bool:
    """One epoch: windows of batches, batches of chunks. ``False`` where the run was aborted."""
    run, seat = runs[0], seats[0]
    for start in range(0, run.rows, run.window):
        rows = min(run.window, run.rows - start)
        seat.start, seat.parity = start, 1 - seat.parity
        for first in range(0, rows, run.batch):
            seat.batch_first, seat.batch_last = first, min(first + run.batch, rows)
            if not _learn_batch(run, layers, seat, rows, rate):
                return False
        seat.old_start, seat.old_parity, seat.old_rows = start, seat.parity, rows
    for index in range(len(layers) - 1):
        begin, end = share(layers[index].panels, seat.me, run.team)
        settle(run, layers[index], begin, end, pending(run, layers, seat, index), 0)
    return True


@inlined
def _learn_batch(run: Any, layers: Any, seat: Any, rows: int, rate: float) -> bool:
    """Forward, outputs and back, chunk by chunk; then the last layer learns, and the others have it pending."""
    scale = rate / (seat.batch_last - seat.batch_first)
    for first in range(seat.batch_first, seat.batch_last, run.chunk):
        last = min(first + run.chunk, seat.batch_last)
        ahead = min(first + run.chunk, rows) if seat.batch_first == 0 else first
        if not _ascend(run, layers, seat, first, last, ahead):
            return False
        if not _return(run, layers, seat, first, last, scale):
            return False
    learn(run, layers, seat, 0)
    return True


@kernel
def forward(runs: Array, layers: Array, seats: Array, rate: float) -> bool:  # noqa: ARG001
    """The contract's forward: the rows of the run are one batch, and nothing is pending."""
    run, seat = runs[0], seats[0]
    for first in range(0, run.rows, run.chunk):
        last = min(first + run.chunk, run.rows)
        if not _ascend(run, layers, seat, first, last, last):
            return False
    return True


@kernel
def backprop(runs: Array, layers: Array, seats: Array, rate: float) -> bool:
    """The contract's backprop after ``forward``: minus the gradients, times ``rate``, are added to the mirror."""
    run, seat = runs[0], seats[0]
    seat.batch_last = run.rows
    for first in range(0, run.rows, run.chunk):
        if not _return(run, layers, seat, first, min(first + run.chunk, run.rows), rate / run.rows):
            return False
    learn(run, layers, seat, run.mirror)
    for index in range(len(layers) - 1):
        layer = layers[index]
        x, x_row = below(run, layers, index, 0, 0, 0)
        begin, end = share(layer.panels, seat.me, run.team)
        settle(run, layer, begin, end, (x, x_row, layer.d, run.rows), run.mirror)
    return True


@inlined
def _ascend(run: Any, layers: Any, seat: Any, first: int, last: int, ahead: int) -> bool:
    """Forward, all layers. The inputs of the first are known, so it works ahead of the others in a window."""
    for index in range(len(layers) - 1):
        layer = layers[index]
        if index:
            if not _meet(run, seat):
                return False
            advance(run, layers, seat, index, first, last)
        elif ahead > first:
            advance(run, layers, seat, index, first, ahead)
        if seat.batch_first:
            correct(run, layers, seat, index, first, last)
        _activate(run, layer, seat, first, last)
    return conclude(run, layers, seat, first, last)


@inlined
def _return(run: Any, layers: Any, seat: Any, first: int, last: int, scale: float) -> bool:
    """Back through all layers, from the outputs to the deltas of the first."""
    blame(run, layers, seat, first, last, scale)
    top = len(layers) - 1
    if top:
        hand_down(run, layers, seat, first, last)
        _slope(run, layers[top - 1], seat, first, last)
    for index in range(top - 1, 0, -1):
        retreat(run, layers, seat, index, first, last)
        if not _meet(run, seat):
            return False
        _gather(run, layers[index - 1], seat, first, last)
        _slope(run, layers[index - 1], seat, first, last)
    return True


@inlined
def _meet(run: Any, seat: Any) -> bool:
    seat.meetings += 1
    return meet(run.counter, run.team, seat.meetings, run.spins)


@inlined
def _activate(run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """``a = f(z)`` of own neurons; the columns that pad the last panel are 0."""
    begin, end = share(layer.panels, seat.me, run.team)
    at, full = seat.parity * layer.flip + first * layer.row, layer.neurons * run.itemsize
    where = (layer.z + at, layer.a + at, layer.row, last - first, begin * PANEL, end * PANEL)
    call(run.values, (layer.kind, layer.value, *where, full))


@inlined
def _slope(run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """``d *= f'(z)`` of own neurons."""
    begin, end = share(layer.panels, seat.me, run.team)
    at, d = seat.parity * layer.flip + first * layer.row, layer.d + first * layer.row
    where = (layer.z + at, layer.a + at, d, layer.row, last - first, begin * PANEL, end * PANEL)
    call(run.slopes, (layer.kind, layer.slope, *where, layer.neurons * run.itemsize))


@inlined
def _gather(run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """``d``: the sum of what the columns of all threads of the layer above have to say of own neurons."""
    begin, end = share(layer.panels, seat.me, run.team)
    partial = layer.partial + ((seat.meetings - 1) % 2) * layer.partial_flip
    where = (partial, layer.partial_own, run.team, run.zeros, layer.d + first * layer.row, layer.row)
    call(run.gather, (*where, last - first, begin * PANEL, end * PANEL))
