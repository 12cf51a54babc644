"""``cuda``: minibatch gradient descent on a GPU, by kernels that are written to be read."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from harness import Array, Backend, Network, Parameters, Unsupported, batches
from harness.plugin import check_rate, check_reserved, one_of, whole_number
from harness_cuda import device as on_device
from harness_cuda.khandait import Khandait
from harness_cuda.khandait_kernels import EDGE
from harness_cuda.paper import Paper
from harness_cuda.variant import Variant

TILES = (8, 16, 32)
"""Edges of a tile; a block has as many threads along each side, and 32 by 32 is the most that a device takes."""

MOST_BLOCKS = 65535
"""The most blocks that a device takes along y of a grid, which runs over the neurons of a layer."""


class CudaBackend(Backend):
    """Data, weights and buffers live on the device; the host only starts kernels and copies nothing in an epoch."""

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        *,
        workers: int = 1,
        device: str = "cuda",
        variant: str = "paper",
        slope: str = "recompute",
        tile: int = 16,
    ) -> None:
        super().__init__(network, parameters, workers=workers)
        one_of("device", device, ("cuda",))
        check_reserved(network, workers, device=device)
        _check(network, variant, slope, tile)
        on_device.require()
        self._strategy = _strategy(variant, slope, tile)
        self._variant: Variant
        if variant == "khandait":
            self._variant = Khandait(network, parameters, slope)
        else:
            self._variant = Paper(network, parameters, slope, tile)

    def load(self, x: Array, y: Array) -> None:
        """Copy the set to the device once."""
        super().load(x, y)
        self._variant.load(x, y)

    def parameters(self) -> Parameters:
        """Return the weights and biases, copied from the device."""
        return self._variant.parameters()

    def outputs(self) -> Array:
        """Return the last layer's activations for the rows of the last ``forward``."""
        return self._variant.outputs()

    def gradients(self) -> Parameters:
        """Return the gradients of the last ``backprop``, copied from the device."""
        return self._variant.gradients()

    def close(self) -> None:
        """Drop every array and hand its memory back to the device."""
        if self.__dict__.pop("_variant", None) is not None:
            on_device.release()

    def forward(self, rows: slice) -> None:
        """Forward propagation."""
        self._variant.forward(rows)

    def backprop(self, rows: slice) -> None:
        """Backpropagation; the gradients lie beside the weights."""
        self._variant.backprop(rows)

    def step(self, rate: float) -> None:
        """Gradient descent."""
        check_rate(rate)
        self._variant.step(rate)

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train once over all rows; every kernel is started without waiting for the one before it."""
        check_rate(rate)
        for rows in batches(self.rows, whole_number("batch_size", batch_size, "rows")):
            self._variant.train(rows, rate)

    def sync(self) -> None:
        """Wait for the device."""
        on_device.sync()

    def facts(self) -> Mapping[str, str | int | float]:
        """Say which device ran which kernels, or that a simulator did."""
        return {
            **on_device.facts(),
            "threads": self.workers,
            "strategy": self._strategy,
            "device_peak_bytes": self._variant.bytes(),
            "numba_cuda": version("numba-cuda"),
        }


def _check(network: Network, variant: str, slope: str, tile: int) -> None:
    one_of("variant", variant, ("paper", "khandait"))
    one_of("slope", slope, ("recompute", "output"))
    if whole_number("tile", tile, "threads") not in TILES:
        raise Unsupported(f"tile={tile}: the tiles are {', '.join(map(str, TILES))}")
    if variant == "khandait" and tile != EDGE:
        raise Unsupported(f"variant=khandait runs in blocks of {EDGE} x {EDGE} as published: tile={EDGE}, not {tile}")
    widest = max(layer.outputs for layer in network.layers)
    if widest > MOST_BLOCKS * tile:
        raise Unsupported(f"a layer of {widest} neurons: with tile={tile} a grid covers {MOST_BLOCKS * tile}")


def _strategy(variant: str, slope: str, tile: int) -> str:
    if variant == "khandait":
        how = "computed again from z" if slope == "recompute" else "from z and the kept output"
        return f"khandait: one thread an element, blocks of {EDGE} x {EDGE}, slope {how}"
    how = "by recomputing W @ A" if slope == "recompute" else "from the output"
    return f"paper: five kernels, tiles of {tile} x {tile} in shared memory, slope {how}"
