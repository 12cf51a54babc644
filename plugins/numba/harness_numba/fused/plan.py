"""The plan of an epoch, and of the contract's three steps. Every thread runs the same plan on its own columns.

A window is as many batches as wide tiles need; a chunk is as many rows as stay in the cache. ``docs/fused.md`` proves
that the updates of hidden layers may wait for the end of a window.
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
    """Train one epoch: windows of batches, batches of chunks. Return ``False`` if the run was aborted."""
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
    """Go forward and back, chunk by chunk; then update the last layer. The updates of the others are pending.

    Return ``False`` if the run was aborted.
    """
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
    """Run the contract's ``forward``: all rows are one batch, and no update is pending."""
    run, seat = runs[0], seats[0]
    for first in range(0, run.rows, run.chunk):
        last = min(first + run.chunk, run.rows)
        if not _ascend(run, layers, seat, first, last, last):
            return False
    return True


@kernel
def backprop(runs: Array, layers: Array, seats: Array, rate: float) -> bool:
    """Run the contract's ``backprop``: subtract the gradients times ``rate`` from the mirror."""
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
    """Go forward through all layers. The first layer goes ahead to row ``ahead``, because its inputs are known."""
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
    """Go back through all layers, from the outputs to the deltas of the first layer."""
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
    """Compute ``a = f(z)`` of own neurons; columns that pad the last panel become 0."""
    begin, end = share(layer.panels, seat.me, run.team)
    at, full = seat.parity * layer.flip + first * layer.row, layer.neurons * run.itemsize
    where = (layer.z + at, layer.a + at, layer.row, last - first, begin * PANEL, end * PANEL)
    call(run.values, (layer.kind, layer.value, *where, full))


@inlined
def _slope(run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """Compute ``d *= f'(z)`` of own neurons."""
    begin, end = share(layer.panels, seat.me, run.team)
    at, d = seat.parity * layer.flip + first * layer.row, layer.d + first * layer.row
    where = (layer.z + at, layer.a + at, d, layer.row, last - first, begin * PANEL, end * PANEL)
    call(run.slopes, (layer.kind, layer.slope, *where, layer.neurons * run.itemsize))


@inlined
def _gather(run: Any, layer: Any, seat: Any, first: int, last: int) -> None:
    """Compute ``d`` of own neurons: the sum of the partial sums of all threads."""
    begin, end = share(layer.panels, seat.me, run.team)
    partial = layer.partial + ((seat.meetings - 1) % 2) * layer.partial_flip
    where = (partial, layer.partial_own, run.team, run.zeros, layer.d + first * layer.row, layer.row)
    call(run.gather, (*where, last - first, begin * PANEL, end * PANEL))
