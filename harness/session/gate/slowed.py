"""``Slowed``: a backend that computes what its base computes, and then wastes a known share of the time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from harness.contract.arrays import Array, Parameters
from harness.contract.backend import Backend
from harness.contract.loading import get_backend
from harness.contract.network import Network
from harness.errors import RequestError
from harness.session.gate.copy import base_of


class Slowed(Backend):
    """Every call goes to the base; ``train_epoch`` then keeps a core busy for ``percent`` of the time of the base."""

    _base: Backend | None = None

    def __init__(
        self, network: Network, parameters: Parameters, *, workers: int = 1, base: str = "blas", percent: int = 10
    ) -> None:
        super().__init__(network, parameters, workers=workers)
        if percent < 0:
            raise RequestError(f"percent={percent}: a backend can be slowed, but not made faster")
        wanted, options = base_of(base)
        kind: Any = get_backend(wanted.name)
        self._inner: Backend = kind(network, parameters, workers=workers, **options)
        self._base = self._inner
        self._share, self._name = percent / 100, base

    def load(self, x: Array, y: Array) -> None:
        """Load the base."""
        super().load(x, y)
        self._inner.load(x, y)

    def parameters(self) -> Parameters:
        """Return the result of the base."""
        return self._inner.parameters()

    def outputs(self) -> Array:
        """Return the result of the base."""
        return self._inner.outputs()

    def gradients(self) -> Parameters:
        """Return the result of the base."""
        return self._inner.gradients()

    def close(self) -> None:
        """Close the base."""
        if self._base is not None:
            self._base.close()

    def forward(self, rows: slice) -> None:
        """Forward propagation by the base."""
        self._inner.forward(rows)

    def backprop(self, rows: slice) -> None:
        """Backpropagation by the base."""
        self._inner.backprop(rows)

    def step(self, rate: float) -> None:
        """Update by the base."""
        self._inner.step(rate)

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train one epoch of the base, wait for its end, then keep a core busy for a share of the time that it took."""
        begin = time.perf_counter()
        self._inner.train_epoch(batch_size, rate)
        self._inner.sync()
        now = time.perf_counter()
        end = now + self._share * (now - begin)
        while time.perf_counter() < end:
            pass

    def sync(self) -> None:
        """Wait for the base."""
        self._inner.sync()

    def facts(self) -> Mapping[str, str | int | float]:
        """Return the facts of the base, and by how much it is slowed."""
        return {**self._inner.facts(), "slowed": self._name, "wasted_share": self._share}
