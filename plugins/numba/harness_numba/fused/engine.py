"""Run the kernels: this module owns their memory, the threads and a copy of the set with padded rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness import Array, Network, Parameters
from harness_numba import pointwise
from harness_numba.fused import native, plan, strategy
from harness_numba.fused.arena import Arena, odd_lines, rounded
from harness_numba.fused.isa import KERNELS
from harness_numba.fused.memory import Memory, Sizes
from harness_numba.fused.tables import RUN, SEAT
from harness_numba.team import AbortedError, Team

Kernel = Callable[..., bool]


class Engine:
    """Trains in native code. The threads live as long as the engine; each runs the same plan on its own columns."""

    def __init__(self, network: Network, parameters: Parameters, workers: int) -> None:
        self.network, self._workers = network, strategy.team(workers, network)
        self._pointwise = pointwise.of_network(network)
        self._number: Any = np.dtype(network.dtype).type
        self._memory = self._room(strategy.WINDOW)
        self._memory.fill(parameters)
        self.strategy = strategy.choose(strategy.WINDOW, self._workers)
        self._run, self._seats = np.zeros(1, RUN), np.zeros((self._workers, 1), SEAT)
        self._team = Team("pool", self._workers, self._abort)

    def load(self, x: Array, y: Array) -> None:
        """Copy the set. Its rows are padded with zeros to whole panels, and their distance is never a power of 2."""
        last = self._memory.layers[-1]
        self._x = _padded(x, odd_lines(rounded(x.shape[1] * x.itemsize, KERNELS.panel_bytes)))
        self._y = _padded(y, int(last["row"]))
        self._rows = len(x)

    def parameters(self) -> Parameters:
        """Return fresh copies."""
        return self._memory.parameters()

    def gradients(self) -> Parameters:
        """Return fresh copies with the sign changed, because the mirror holds minus the gradients."""
        return [(-w, -b) for w, b in self._memory.parameters(self._memory.mirror)]

    def outputs(self) -> Array:
        """Return fresh copies of the outputs of the rows of the last forward."""
        return self._memory.outputs(self._batch)

    def forward(self, rows: slice) -> None:
        """Propagate these rows as one batch."""
        self._batch = rows.stop - rows.start
        self._prepare(self._batch, rows)
        self._go(plan.forward, 1.0)

    def backprop(self) -> None:
        """Leave minus the gradients of the rows of the last forward in the mirror."""
        _, mirror = self._memory.both()
        mirror.fill(0)
        self._go(plan.backprop, 1.0)

    def step(self, rate: float) -> None:
        """Add ``rate`` times the mirror to the parameters."""
        parameters, mirror = self._memory.both()
        parameters += self._number(rate) * mirror

    def train_epoch(self, batch: int, rate: float) -> None:
        """Train once over all rows."""
        self._prepare(min(batch, self._rows), slice(0, self._rows))
        self._go(plan.train_epoch, rate)

    def facts(self) -> Mapping[str, str | int | float]:
        """Return the vectors in use and the strategy of the last batch size."""
        return {"threads": self._workers, "isa": KERNELS.name, "strategy": str(self.strategy)}

    def close(self) -> None:
        """End the threads."""
        self._team.close()

    def _prepare(self, batch: int, rows: slice) -> None:
        chosen = self.strategy = strategy.choose(batch, self._workers)
        if max(chosen.window, batch) > self._memory.sizes.rows:
            before = self._memory
            self._memory = self._room(max(chosen.window, batch))
            self._memory.fill(before.parameters())
            self._memory.fill(before.parameters(before.mirror), self._memory.mirror)
        memory, run = self._memory, self._run[0]
        run["x"], run["x_row"] = self._x.ctypes.data + rows.start * self._x.strides[0], self._x.strides[0]
        run["y"], run["y_row"] = self._y.ctypes.data + rows.start * self._y.strides[0], self._y.strides[0]
        run["rows"], run["batch"] = rows.stop - rows.start, batch
        for name in ("window", "chunk", "together", "settled", "spins"):
            run[name] = getattr(chosen, name)
        for name in ("counter", "zeros", "similar", "similar_own", "similar_row", "mirror"):
            run[name] = getattr(memory, name)
        run["itemsize"] = self._x.itemsize
        for name, function in native.functions(self._number).items():
            run[name] = function.address
        run["team"], run["loss"] = self._workers, pointwise.LOSSES[self.network.loss]

    def _room(self, rows: int) -> Memory:
        sizes = Sizes(self._workers, rows, strategy.WINDOW, strategy.CHUNK)
        return Memory(self.network, self._pointwise, sizes)

    def _go(self, kernel: Kernel, rate: float) -> None:
        """Run a plan on every thread. If a run is interrupted, the weights are those between two updates."""
        self._memory.signal()[:] = 0
        self._seats[...] = np.zeros(1, SEAT)
        self._seats["me"][:, 0] = range(self._workers)

        def work(me: int) -> None:
            if not kernel(self._run, self._memory.layers, self._seats[me], float(rate)):
                raise AbortedError

        try:
            self._team.run(work)
        except BaseException:
            self._memory.fill(self._memory.parameters())  # the threads' copies of the last bias may differ by one batch
            raise

    def _abort(self) -> None:
        """Set the abort flag, so that every thread returns at its next barrier."""
        self._memory.signal()[16] = 1


def _padded(array: Array, row: int) -> Array:
    """Return a copy whose rows are ``row`` bytes apart; the rest of each row is zero."""
    arena = Arena(len(array) * row)
    copy: Array = arena.view(arena.address, array.shape, (row, array.itemsize), str(array.dtype))
    copy[...] = array
    return copy
