"""How a batch is worked on: the one place where sizes are chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness import Network
from harness.plugin import cores
from harness_numba.fused.arena import rounded
from harness_numba.fused.isa import KERNELS

WINDOW = 24
"""Rows that wide tiles and the reading of weights need to be worth it."""
WAIT_UP_TO = 8
"""Batches up to this size wait for a window; beyond, the corrections cost more than they save."""
CHUNK = 64
"""Rows whose activations stay in a core's cache."""
TOGETHER = 128
"""Pending rows up to which inputs stay in cache from panel to panel; beyond, pieces of them are what is kept there."""
SETTLED = 128
"""Rows that an update adds up in registers before it rounds them into the weights."""
SPINS = 2000
"""Looks at the barrier before a thread yields its core; one where workers share cores."""


@dataclass(frozen=True)
class Strategy:
    """Sizes in rows, and looks at the barrier before yielding."""

    window: int
    chunk: int
    together: int
    settled: int
    spins: int

    def __str__(self) -> str:
        """Return the sizes for the receipt."""
        return f"window {self.window}, chunk {self.chunk}"


def team(workers: int, network: Network) -> int:
    """Return how many threads have a panel to own: of the widest hidden layer or, where there is none, of the inputs.

    One that owns nothing would only come to the meetings.
    """
    widest = max([layer.outputs for layer in network.layers[:-1]] or [network.layers[0].inputs])
    panels = rounded(widest * np.dtype(network.dtype).itemsize, KERNELS.panel_bytes) // KERNELS.panel_bytes
    return min(workers, panels)


def choose(batch: int, workers: int) -> Strategy:
    """Return the strategy for a batch size and a number of threads."""
    together = WINDOW // batch if batch <= WAIT_UP_TO else 1
    return Strategy(
        window=batch * together,
        chunk=CHUNK,
        together=TOGETHER,
        settled=SETTLED,
        spins=SPINS if workers <= cores() else 1,
    )
