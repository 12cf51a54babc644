"""``Subject``: a backend in a check. It checks the rules that hold for every call."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn, TypeVar

import numpy as np
import pytest

from harness.conformance.cases import Exercise
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

    ``Unsupported`` and ``Unavailable`` end the check as not applicable if the contract allows them at this moment, and
    fail it otherwise. Any other error fails the check with one line. Everything that a call returns is examined.
    """

    def __init__(self, target: Target, network: Network, start: Parameters) -> None:
        self.network = network
        self._early = True
        self._forwarded: slice | None = None
        self.backend = self._call("__init__", lambda: target.make(network, start))

    def _call(self, method: str, function: Callable[[], T], *, may_refuse: bool = True) -> T:
        try:
            return function()
        except (Exception, SystemExit) as error:  # noqa: BLE001  the check reports whatever a backend raises
            raised = error
        if isinstance(raised, (Unsupported, Unavailable)):
            self._refused(method, raised, may_refuse=may_refuse and self._early)
        fail(f"{method} raised {type(raised).__name__}: {raised}{_place(raised)}")

    def _refused(self, method: str, error: Exception, *, may_refuse: bool) -> NoReturn:
        kind, reason = type(error).__name__, " ".join(str(error).split())
        if not may_refuse:
            fail(f"{method} raised {kind}({reason!r}): it belongs in __init__, load or the first batch")
        if not reason:
            fail(f"{method} raised {kind} without a reason: say what is missing")
        pytest.skip(reason)

    def _nothing(self, method: str, *arguments: Any, may_refuse: bool = True) -> None:
        result = self._call(method, lambda: getattr(self.backend, method)(*arguments), may_refuse=may_refuse)
        if result is not None:
            fail(f"{method} returned {type(result).__name__}, should return nothing")

    def load(self, x: Array, y: Array) -> None:
        """Load a set and check ``rows``."""
        self._nothing("load", x, y)
        if self.backend.rows != len(x):
            fail(f"rows is {self.backend.rows} after load of {len(x)} rows: call super().load(x, y)")

    def forward(self, rows: slice) -> None:
        """Run ``forward`` on these rows."""
        self._forwarded = rows
        self._nothing("forward", rows)

    def backprop(self, rows: slice) -> None:
        """Run ``backprop`` on the rows of the last ``forward``."""
        self._nothing("backprop", rows)

    def batch(self, rows: slice) -> None:
        """Run ``forward`` and ``backprop`` on these rows."""
        self.forward(rows)
        self.backprop(rows)

    def step(self, rate: float) -> None:
        """Run ``step``; the first batch ends here, and with it the time for a refusal."""
        self._nothing("step", rate)
        self._early = False

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Run ``train_epoch`` and ``sync``."""
        self._nothing("train_epoch", batch_size, rate)
        self._early = False
        self.sync()

    def sync(self) -> None:
        """Run ``sync``."""
        self._nothing("sync", may_refuse=False)

    def close(self) -> None:
        """Run ``close``."""
        self._nothing("close", may_refuse=False)

    def parameters(self) -> Parameters:
        """Return the parameters after an examination."""
        return self._pairs("parameters")

    def gradients(self) -> Parameters:
        """Return the gradients after an examination."""
        return self._pairs("gradients")

    def outputs(self) -> Array:
        """Return the outputs after an examination."""
        outputs: Array = self._call("outputs", self.backend.outputs, may_refuse=False)
        rows = self._forwarded or slice(0, 0)
        self._examine("outputs()", outputs, (rows.stop - rows.start, self.network.outputs))
        return outputs

    def _pairs(self, method: str) -> Parameters:
        pairs: Parameters = self._call(method, getattr(self.backend, method), may_refuse=False)
        if not isinstance(pairs, list) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
            fail(f"{method}() returned {type(pairs).__name__}, should return a list of (weights, bias) tuples")
        if len(pairs) != len(self.network.layers):
            fail(f"{method}() returned {len(pairs)} pairs for {len(self.network.layers)} layers")
        for index, (layer, (weights, bias)) in enumerate(zip(self.network.layers, pairs, strict=True)):
            self._examine(f"{method}(): weights of layer {index}", weights, (layer.inputs, layer.outputs))
            self._examine(f"{method}(): bias of layer {index}", bias, (layer.outputs,))
        return pairs

    def _examine(self, what: str, array: Array, shape: tuple[int, ...]) -> None:
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
    """Return for a message where an error was raised: file, line and function."""
    frames: list[tuple[FrameType, int]] = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return ""
    frame, line = frames[-1]
    return f" ({frame.f_code.co_filename}:{line}, in {frame.f_code.co_name})"


def whole_life(subject: Subject, exercise: Exercise) -> None:
    """Call every method once, as a check does that looks at what a backend leaves behind."""
    subject.load(exercise.x, exercise.y)
    subject.batch(slice(1, 8))
    subject.outputs()
    subject.gradients()
    subject.step(0.1)
    subject.train_epoch(4, 0.1)
    subject.forward(exercise.rows)
    subject.parameters()
