"""JAX: pure functions under ``jit``; an epoch is one ``lax.scan``."""

from __future__ import annotations

import os
from collections.abc import Mapping

import jax
import numpy as np

from harness import Array, Backend, Network, Parameters, Unavailable
from harness.plugin import check_rate, check_reserved, whole_number
from harness_jax.model import Params, compiled

jax.config.update("jax_enable_x64", val=True)  # type: ignore[no-untyped-call]  # float64 networks need it; float32 arrays stay float32


class JaxBackend(Backend):
    """Data and weights are on the device; ``workers`` is the size of XLA's thread pool, which the environment sets."""

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        *,
        workers: int = 1,
        device: str = "cpu",
        precision: str = "ieee",
    ) -> None:
        super().__init__(network, parameters, workers=workers)
        check_reserved(network, workers, device=device, precision=precision)
        self.device, self.precision = _device(device), precision
        self._functions = compiled(network, precision)
        self._dtype = np.dtype(network.dtype).type
        self._params: Params = [(self._put(weights), self._put(bias)) for weights, bias in parameters]

    def load(self, x: Array, y: Array) -> None:
        """Copy the set to the device once."""
        super().load(x, y)
        self.x, self.y = self._put(x), self._put(y)

    def parameters(self) -> Parameters:
        """Return copies of the weights and biases."""
        return _numpy(self._params)

    def outputs(self) -> Array:
        """Return the activated outputs of the last forward."""
        return np.array(self._functions.outputs(self._z))

    def gradients(self) -> Parameters:
        """Return copies of the last gradients."""
        return _numpy(self._gradients)

    def close(self) -> None:
        """Release every array and compiled function."""
        for name in ("x", "y", "_z", "_pull", "_params", "_gradients", "_functions"):
            self.__dict__.pop(name, None)

    def forward(self, rows: slice) -> None:
        """Forward propagation, recorded by ``jax.vjp``."""
        self._z, self._pull = self._functions.forward(self._params, self.x[rows])

    def backprop(self, rows: slice) -> None:
        """Compute the gradients of the mean loss from the recorded forward."""
        self._gradients: Params = self._functions.backprop(self._pull, self._z, self.y[rows])

    def step(self, rate: float) -> None:
        """Compute ``params - rate * gradients``."""
        self._params = self._functions.update(self._params, self._gradients, self._dtype(rate))

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train one epoch in one compiled call; the first call with a batch size compiles it."""
        check_rate(rate)
        batch = min(whole_number("batch_size", batch_size, "rows"), self.rows)
        self._params = self._functions.epoch(self._params, self.x, self.y, self._dtype(rate), batch=batch)

    def sync(self) -> None:
        """Wait until the weights are computed, because JAX works asynchronously."""
        for weights, bias in self._params:
            weights.block_until_ready()
            bias.block_until_ready()

    def facts(self) -> Mapping[str, str | int | float]:
        """Return which device, thread pool, version and precision ran."""
        facts: dict[str, str | int | float] = {
            "device": self.device.device_kind,
            "threads": int(os.environ.get("PJRT_NPROC", os.cpu_count() or 1)),
            "jax": jax.__version__,
            "strategy": f"scan over batches, {self.precision}",
        }
        statistics = self.device.memory_stats() or {}
        if "peak_bytes_in_use" in statistics:
            facts["device_peak_bytes"] = statistics["peak_bytes_in_use"]
        return facts

    def _put(self, array: Array) -> jax.Array:
        """Copy an array to the device. Without the copy JAX may use the caller's memory."""
        placed: jax.Array = jax.device_put(array.copy(), self.device)
        return placed


def _device(name: str) -> jax.Device:
    try:
        return jax.devices(name)[0]
    except RuntimeError as error:
        raise Unavailable(f"no {name.upper()} device: {str(error).splitlines()[0]}") from error


def _numpy(params: Params) -> Parameters:
    return [(np.array(weights, order="C"), np.array(bias, order="C")) for weights, bias in params]
