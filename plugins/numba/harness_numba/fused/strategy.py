"""How a batch is worked on. All sizes are chosen here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness import Network
from harness.plugin import cores
from harness_numba.fused.arena import rounded
from harness_numba.fused.isa import KERNELS

WINDOW = 24
"""Rows from which wide tiles are full and reading the weights is worth while."""
WAIT_UP_TO = 8
"""Batches up to this size are put together into a window. For larger ones the corrections cost more than they save."""
CHUNK = 64
"""Rows whose activations fit into a core's cache."""
TOGETHER = 128
"""Pending rows up to which all inputs stay in the cache from panel to panel; of more rows only pieces can stay."""
SETTLED = 128
"""Rows that an update adds up in registers before it rounds them into the weights."""
SPINS = 2000
"""How often a thread looks at the barrier before it yields its core; only once if workers share cores."""


@dataclass(frozen=True)
class Strategy:
    """Sizes in rows, and how often a thread looks at the barrier before it yields."""

    window: int
    chunk: int
    together: int
    settled: int
    spins: int

    def __str__(self) -> str:
        """Return the sizes for the receipt."""
        return f"window {self.window}, chunk {self.chunk}"


def team(workers: int, network: Network) -> int:
    """Return how many threads can own a panel: of the widest hidden layer, or of the inputs if there is none.

    A thread that owns no panel would only wait at the barriers.
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
