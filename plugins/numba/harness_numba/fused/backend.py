"""``fused``: exact minibatch SGD as fast as the CPU allows. ``docs/fused.md`` explains the method and its algebra."""

from __future__ import annotations

from collections.abc import Mapping

from harness import Array, Backend, Network, Parameters
from harness.plugin import check_rate, whole_number
from harness_numba.fused.engine import Engine
from harness_numba.fused.fallback import NumpyEngine
from harness_numba.fused.isa import ISA

LARGEST_RATE = 1e6
"""Training with a larger rate is never useful. It may be slow, but it must give the result of the reference."""


class FusedBackend(Backend):
    """Each thread owns neurons for the whole run. Updates are delayed if that is exact and saves reading weights.

    ``train_epoch`` is what is timed. ``forward`` and ``backprop`` use the same kernels and keep a gradient.
    """

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self._engine: Engine | NumpyEngine = (Engine if ISA else NumpyEngine)(network, parameters, workers)

    def load(self, x: Array, y: Array) -> None:
        """Copy the set into padded rows."""
        super().load(x, y)
        self._engine.load(x, y)

    def parameters(self) -> Parameters:
        """Return the weights and biases, copied out of their panels."""
        return self._engine.parameters()

    def outputs(self) -> Array:
        """Return the last layer's activations for the rows of the last ``forward``."""
        return self._engine.outputs()

    def gradients(self) -> Parameters:
        """Return the gradients of the last ``backprop``."""
        return self._engine.gradients()

    def close(self) -> None:
        """End the threads."""
        self._engine.close()

    def forward(self, rows: slice) -> None:
        """Propagate these rows with the kernels of ``train_epoch``."""
        self._engine.forward(rows)

    def backprop(self, rows: slice) -> None:  # noqa: ARG002  the rows are those of the last forward
        """Compute and keep the gradients, with the kernels of ``train_epoch`` (which itself keeps no gradients)."""
        self._engine.backprop()

    def step(self, rate: float) -> None:
        """Apply the gradients."""
        check_rate(rate)
        self._engine.step(rate)

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train once over all rows in one call of native code for each thread.

        A huge rate takes the three steps instead: the native plan multiplies by the rate early, where it may overflow.
        """
        check_rate(rate)
        if abs(rate) > LARGEST_RATE:
            super().train_epoch(batch_size, rate)
            return
        self._engine.train_epoch(whole_number("batch_size", batch_size, "rows"), rate)

    def facts(self) -> Mapping[str, str | int | float]:
        """Return the threads, the vectors in use and the strategy of the last batch size."""
        return {"device": "cpu", **self._engine.facts()}
