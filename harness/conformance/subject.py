"""``Subject``: a backend as the checks handle it; it holds every call to the rules that belong to every call."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn, TypeVar

import numpy as np
import pytest

from harness.conformance.target import Target
from harness.contract.arrays import Array, Parameters
from harness.contract.network import Network
from harness.errors import Unavailable, Unsupported

T = TypeVar("T")


def fail(text: str) -> NoReturn:
    """End the check as failed with this text and no traceback."""
    pytest.fail(text, pytrace=False)


class Subject:
    """One instance under test.

    ``Unsupported`` and ``Unavailable`` end a check as not applicable where the contract allows them, and fail it
    anywhere else; any other error fails it with one line; what comes back is looked at, always.
    """

    def __init__(self, target: Target, network: Network, start: Parameters) -> None:
        self.network = network
        self._early = True
        self._forwarded: slice | None = None
        self.backend = self._call("__init__", lambda: target.make(network, start))

    def _call(self, method: str, function: Callable[[], T], *, may_refuse: bool = True) -> T:
        try:
            return function()
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a backend raises is what the check reports
            raised = error
        if isinstance(raised, (Unsupported, Unavailable)):
            self._refused(method, raised, may_refuse=may_refuse and self._early)
        fail(f"{method} raised {type(raised).__name__}: {raised}{_place(raised)}")

    def _refused(self, method: str, error: Exception, *, may_refuse: bool) -> NoReturn:
        kind, reason = type(error).__name__, " ".join(str(error).split())
        if not may_refuse:
            fail(f"{method} raised {kind}({reason!r}): it belongs into __init__, load or the first batch")
        if not reason:
            fail(f"{method} raised {kind} without a reason: say what is missing")
        pytest.skip(reason)

    def _nothing(self, method: str, *arguments: Any, may_refuse: bool = True) -> None:
        result = self._call(method, lambda: getattr(self.backend, method)(*arguments), may_refuse=may_refuse)
        if result is not None:
            fail(f"{method} returned {type(result).__name__}, should return nothing")

    def load(self, x: Array, y: Array) -> None:
        """Load a set and see that ``rows`` follows."""
        self._nothing("load", x, y)
        if self.backend.rows != len(x):
            fail(f"rows is {self.backend.rows} after load of {len(x)} rows: call super().load(x, y)")

    def forward(self, rows: slice) -> None:
        """Forward these rows."""
        self._forwarded = rows
        self._nothing("forward", rows)

    def backprop(self, rows: slice) -> None:
        """Backpropagate the rows just forwarded."""
        self._nothing("backprop", rows)

    def batch(self, rows: slice) -> None:
        """Forward and backpropagate."""
        self.forward(rows)
        self.backprop(rows)

    def step(self, rate: float) -> None:
        """Update; the first batch ends here."""
        self._nothing("step", rate)
        self._early = False

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train an epoch and wait for it."""
        self._nothing("train_epoch", batch_size, rate)
        self._early = False
        self.sync()

    def sync(self) -> None:
        """Wait."""
        self._nothing("sync", may_refuse=False)

    def close(self) -> None:
        """Close."""
        self._nothing("close", may_refuse=False)

    def parameters(self) -> Parameters:
        """Return the parameters, looked at."""
        return self._pairs("parameters")

    def gradients(self) -> Parameters:
        """Return the gradients, looked at."""
        return self._pairs("gradients")

    def outputs(self) -> Array:
        """Return the outputs, looked at."""
        outputs: Array = self._call("outputs", self.backend.outputs, may_refuse=False)
        rows = self._forwarded or slice(0, 0)
        self._look("outputs()", outputs, (rows.stop - rows.start, self.network.outputs))
        return outputs

    def _pairs(self, method: str) -> Parameters:
        pairs: Parameters = self._call(method, getattr(self.backend, method), may_refuse=False)
        if not isinstance(pairs, list) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
            fail(f"{method}() returned {type(pairs).__name__}, should return a list of (weights, bias) tuples")
        if len(pairs) != len(self.network.layers):
            fail(f"{method}() returned {len(pairs)} pairs for {len(self.network.layers)} layers")
        for index, (layer, (weights, bias)) in enumerate(zip(self.network.layers, pairs, strict=True)):
            self._look(f"{method}(): weights of layer {index}", weights, (layer.inputs, layer.outputs))
            self._look(f"{method}(): bias of layer {index}", bias, (layer.outputs,))
        return pairs

    def _look(self, what: str, array: Array, shape: tuple[int, ...]) -> None:
        if type(array) is not np.ndarray:
            fail(f"{what} is a {type(array).__name__}, should be a numpy.ndarray")
        if array.dtype != np.dtype(self.network.dtype):
            fail(f"{what}: dtype {array.dtype}, should be {self.network.dtype}")
        if array.shape != shape:
            fail(f"{what}: shape {array.shape}, should be {shape}")
        if not array.flags.c_contiguous:
            fail(f"{what} is not C-ordered")
        if not array.flags.writeable:
            fail(f"{what} is read-only: what a backend returns is the caller's own")


def _place(error: BaseException) -> str:
    """Return where in the backend an error was raised, for a message of one line."""
    frames: list[tuple[FrameType, int]] = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return ""
    frame, line = frames[-1]
    return f" ({frame.f_code.co_filename}:{line}, in {frame.f_code.co_name})"
