"""The contract, api 1: what a backend does. ``docs/contract.md`` says every rule in words."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, final

import numpy as np

from harness.contract.arrays import Array, Parameters
from harness.contract.batching import batches
from harness.contract.checks import whole_number
from harness.contract.network import Network
from harness.contract.registry import activation
from harness.contract.vocabulary import mismatch
from harness.errors import RequestError, Unsupported


class Backend(ABC):
    """One way to train one network; the subclass names its options as keyword-only arguments of ``__init__``.

    What the harness times is ``train_epoch`` followed by ``sync``; everything else is outside the clock.
    The order of the methods below is the order in every backend, so that two can be read side by side.
    """

    rows: int = 0
    """Rows of the loaded set; 0 before ``load``."""

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        """Keep ``network`` and ``workers``; refuse a loss that does not fit, or start weights of another shape.

        A subclass calls this first. ``parameters`` belong to the caller: a backend copies what it trains. Where the
        ``__init__`` of a subclass fails later, it gives back what it took.
        """
        _check_network(network)
        _check_parameters(network, parameters)
        self.network = network
        self.workers = whole_number("workers", workers, "threads, processes or ranks")

    def load(self, x: Array, y: Array) -> None:
        """Take the training set and set ``self.rows``; a subclass calls this first. Not timed.

        ``x`` is ``(rows, inputs)`` and ``y`` ``(rows, outputs)``, C-ordered, in the network's dtype. A backend may
        keep both and never writes to them. May be called again with another set; the weights stay.
        """
        _check_set(self.network, x, y)
        self.rows = len(x)

    @abstractmethod
    def parameters(self) -> Parameters:
        """Return the weights and biases now: fresh C-ordered NumPy copies in the network's dtype. Not timed."""

    @abstractmethod
    def outputs(self) -> Array:
        """Return a fresh copy of the last layer's activations for the rows of the last ``forward``. Not timed."""

    @abstractmethod
    def gradients(self) -> Parameters:
        """Return fresh copies of the gradients of the last ``backprop``: of the mean loss over its rows. Not timed."""

    @abstractmethod
    def close(self) -> None:
        """Give back threads, processes, memory, thread limits and devices. Calling it twice is fine.

        It is never called after ``__init__`` has failed: a failing ``__init__`` gives back what it took.
        """

    @abstractmethod
    def forward(self, rows: slice) -> None:
        """Compute the activations of these rows of the loaded set: ``slice(start, stop)``, not empty, no step."""

    @abstractmethod
    def backprop(self, rows: slice) -> None:
        """Compute the gradients for the slice that was just forwarded; the weights stay as they are."""

    @abstractmethod
    def step(self, rate: float) -> None:
        """Update in place: ``weights -= rate * gradients``, biases alike. The rate may differ at every call."""

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train once over all rows in order, the last batch ragged: this is what is timed.

        A backend may replace it by one fused pass that ends in the same weights. After it only ``parameters`` is
        defined, until the next ``forward``.
        """
        check_rate(rate)
        for rows in batches(self.rows, batch_size):
            self.forward(rows)
            self.backprop(rows)
            self.step(rate)

    def sync(self) -> None:  # noqa: B027  a backend with nothing asynchronous has nothing to wait for
        """Return when every worker, rank and stream is done. Inside the clock."""

    def facts(self) -> Mapping[str, str | int | float]:
        """Return what the receipt should say of this instance: device, threads, strategy, note. Not timed."""
        return {}

    def rank(self) -> int:
        """Return this process's rank; only rank 0 writes a row."""
        return 0

    @final
    def __enter__(self) -> Self:
        """Return the backend itself."""
        return self

    @final
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the backend, whatever happened inside."""
        self.close()


def check_rate(rate: float) -> None:
    """Refuse a rate that is not a finite number."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.floating)) or not math.isfinite(rate):
        raise RequestError(f"rate={rate!r}: give a finite number")


def check_reserved(network: Network, workers: int, *, device: str = "cpu", precision: str = "ieee") -> None:
    """Refuse what the reserved options cannot mean together, whatever the library."""
    if precision == "tf32" and device != "cuda":
        raise Unsupported("precision=tf32 is a format of CUDA's tensor cores: ask for device=cuda")
    if precision != "ieee" and network.dtype != "float32":
        raise Unsupported(f"precision={precision} trains float32 networks only, not {network.dtype}")
    if device == "cuda" and workers != 1:
        raise Unsupported(f"one CUDA device is one worker, not {workers}")


def _check_network(network: Network) -> None:
    *_, last = (activation(layer.activation) for layer in network.layers)
    reason = mismatch(network.loss, last)
    if reason:
        raise RequestError(reason)


def _check_parameters(network: Network, parameters: Parameters) -> None:
    count = len(network.layers)
    if not isinstance(parameters, Sequence) or not all(isinstance(pair, (tuple, list)) for pair in parameters):
        raise RequestError("parameters: give a list of (weights, bias) pairs, one a layer")
    if len(parameters) != count or any(len(pair) != 2 for pair in parameters):
        raise RequestError(f"parameters: {len(parameters)} entries; {count} layers need {count} (weights, bias) pairs")
    for index, (layer, (weights, bias)) in enumerate(zip(network.layers, parameters, strict=True)):
        _check_array(f"weights of layer {index}", weights, (layer.inputs, layer.outputs), network.dtype)
        _check_array(f"bias of layer {index}", bias, (layer.outputs,), network.dtype)


def _check_set(network: Network, x: Array, y: Array) -> None:
    rows = len(x) if isinstance(x, np.ndarray) and x.ndim else 0
    if rows < 1:
        raise RequestError("x: give a NumPy array of shape (rows, inputs) with at least one row")
    _check_array("x", x, (rows, network.inputs), network.dtype)
    _check_array("y", y, (rows, network.outputs), network.dtype)


def _check_array(name: str, array: Array, shape: tuple[int, ...], dtype: str) -> None:
    if not isinstance(array, np.ndarray):
        raise RequestError(f"{name}: give a NumPy array, not {type(array).__name__}")
    if array.shape != shape:
        raise RequestError(f"{name}: shape {array.shape}, should be {shape}")
    if array.dtype != np.dtype(dtype):
        raise RequestError(f"{name}: dtype {array.dtype}, should be {dtype}; convert with .astype({dtype!r})")
    if not array.flags.c_contiguous:
        raise RequestError(f"{name}: not C-ordered; convert with numpy.ascontiguousarray")
