"""Forward propagation and backpropagation of some rows with BLAS, in buffers that are allocated once.

``Buffers`` holds the arrays of a batch. ``Pass`` has both algorithms for some of its rows: for all of them in ``blas``,
for the examples of one worker in ``threads`` and ``shm``. ``k`` counts layers from 0; ``a_in`` of layer 0 is the input.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from harness import Array, Network, Parameters, activation
from harness_blas.pointwise import IN_PLACE, Stage, activate, start_delta, times_slope

Make = Callable[[tuple[int, ...]], Array]
"""Makes an uninitialised C-ordered array of a shape, in the network's dtype."""


class Buffers:
    """The arrays for a batch of up to ``capacity`` rows: ``z``, ``a`` and ``delta`` of every layer, and scratch."""

    def __init__(self, network: Network, capacity: int, make: Make) -> None:
        self.network = network
        self.capacity = capacity
        widths = [layer.outputs for layer in network.layers]
        self.activations = [activation(layer.activation) for layer in network.layers]
        self.z = [make((capacity, width)) for width in widths]
        self.a = [z if f.name in IN_PLACE else make(z.shape) for z, f in zip(self.z, self.activations, strict=True)]
        self.delta = [make((capacity, width)) for width in widths]
        self.scratch = make((capacity * max(widths),))
        self.ones = make((capacity,))
        self.ones[:] = 1

    def stage(self, k: int, start: int, stop: int) -> Stage:
        """Return views of layer ``k`` for these rows."""
        width, widest = self.z[k].shape[1], self.scratch.size // max(1, self.capacity)
        lane = self.scratch[start * widest : start * widest + (stop - start) * width]
        z, a = self.z[k][start:stop], self.a[k][start:stop]
        kept = z if self.a[k] is self.z[k] else a
        scratch = lane.reshape(stop - start, width)
        return Stage(self.activations[k], z, kept, self.delta[k][start:stop], scratch)


class Pass:
    """Both algorithms on the rows from ``start`` to ``stop`` of the buffers; nothing else is written.

    ``turn`` is entered around every BLAS call. It is a lock if threaded BLAS calls must not run at the same time.
    """

    def __init__(
        self, buffers: Buffers, start: int, stop: int, turn: AbstractContextManager[object] | None = None
    ) -> None:
        self.rows = stop - start
        self.ones = buffers.ones[start:stop]
        self.stages = [buffers.stage(k, start, stop) for k in range(len(buffers.z))]
        self._loss = buffers.network.loss
        self._turn = nullcontext() if turn is None else turn

    @property
    def outputs(self) -> Array:
        """The last layer's activations, in the buffer."""
        return self.stages[-1].a

    def forward(self, parameters: Parameters, x: Array) -> None:
        """Compute ``z = a_in @ W + b`` and ``a = f(z)``, layer by layer, for the rows ``x``."""
        a_in = x
        for stage, (weights, bias) in zip(self.stages, parameters, strict=True):
            with self._turn:
                np.matmul(a_in, weights, out=stage.z)
            np.add(stage.z, bias, out=stage.z)
            activate(stage)
            a_in = stage.a

    def backward(self, parameters: Parameters, y: Array, rows: int) -> None:
        """Compute ``delta`` of every layer from the last to the first, for the mean loss over a batch of ``rows``."""
        start_delta(self._loss, self.stages[-1], y, rows)
        for k in range(len(self.stages) - 1, 0, -1):
            below = self.stages[k - 1]
            with self._turn:
                np.matmul(self.stages[k].delta, parameters[k][0].T, out=below.delta)
            times_slope(below)

    def inputs(self, x: Array) -> list[Array]:
        """Return the input of every layer: the rows ``x``, then the activations of the layer below."""
        return [x, *(stage.a for stage in self.stages[:-1])]
