"""What the core refuses before a backend sees it, and what it does for every backend."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from harness import Backend, Network, RequestError, Unsupported, initial_parameters
from harness.contract.arrays import Array, Parameters, copied
from harness.contract.backend import check_reserved

NET = Network.dense([3, 4, 2])
START = initial_parameters(NET)
X, Y = np.zeros((7, 3), "float32"), np.zeros((7, 2), "float32")


class Noted(Backend):
    """Notes what is called."""

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self.calls: list[Any] = []

    def parameters(self) -> Parameters:
        return copied(START)

    def outputs(self) -> Array:
        return np.zeros((1, 2), "float32")

    def gradients(self) -> Parameters:
        return copied(START)

    def close(self) -> None:
        self.calls.append("close")

    def forward(self, rows: slice) -> None:
        self.calls.append(("forward", rows))

    def backprop(self, rows: slice) -> None:
        self.calls.append(("backprop", rows))

    def step(self, rate: float) -> None:
        self.calls.append(("step", rate))


def wrong_start(layer: int, part: int, array: Any) -> list[Any]:
    pairs: list[Any] = [list(pair) for pair in copied(START)]
    pairs[layer][part] = array
    return pairs


STARTS = [
    (None, "parameters: give a list of (weights, bias) pairs"),
    ([START[0]], "parameters: 1 entries; 2 layers need 2"),
    ([*START, START[0]], "parameters: 3 entries; 2 layers need 2"),
    ([START[0], (START[1][0],)], "2 layers need 2 (weights, bias) pairs"),
    ([1, 2], "parameters: give a list of"),
    (wrong_start(0, 0, np.zeros((4, 3), "float32")), "weights of layer 0: shape (4, 3), should be (3, 4)"),
    (wrong_start(1, 1, np.zeros((1, 2), "float32")), "bias of layer 1: shape (1, 2), should be (2,)"),
    (wrong_start(1, 0, np.zeros((4, 2))), "weights of layer 1: dtype float64, should be float32; convert with"),
    (wrong_start(0, 1, np.zeros(4, ">f4")), "bias of layer 0: dtype >f4, should be float32"),
    (wrong_start(0, 0, np.zeros((3, 4), "float32", order="F")), "weights of layer 0: not C-ordered; convert with"),
    (wrong_start(0, 1, [0.0] * 4), "bias of layer 0: give a NumPy array, not list"),
]
SETS = [
    (X.tolist(), Y, "x: give a NumPy array of shape (rows, inputs) with at least one row"),
    (X[:0], Y[:0], "x: give a NumPy array of shape (rows, inputs) with at least one row"),
    (np.float32(1), Y, "x: give a NumPy array"),
    (X[:, :2], Y, "x: shape (7, 2), should be (7, 3)"),
    (X, Y[:6], "y: shape (6, 2), should be (7, 2)"),
    (X, Y[:, 0], "y: shape (7,), should be (7, 2)"),
    (X, None, "y: give a NumPy array, not NoneType"),
    (X.astype("float64"), Y, "x: dtype float64, should be float32; convert with .astype('float32')"),
    (X, Y.astype("int64"), "y: dtype int64, should be float32"),
    (np.zeros((7, 6), "float32")[:, ::2], Y, "x: not C-ordered; convert with numpy.ascontiguousarray"),
    (np.asfortranarray(X), Y, "x: not C-ordered"),
]


@pytest.mark.parametrize(("start", "message"), STARTS)
def test_start_weights_are_refused(start: Any, message: str) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        Noted(NET, start)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", None, True])
def test_workers_are_a_whole_number_of_1_or_more(workers: Any) -> None:
    with pytest.raises(RequestError, match=re.escape(f"workers={workers!r}: give a whole number")):
        Noted(NET, START, workers=workers)


def test_numpy_whole_numbers_are_whole_numbers() -> None:
    backend = Noted(NET, START, workers=np.int64(2))
    assert type(backend.workers) is int
    backend.load(X, Y)
    backend.train_epoch(np.int32(4), np.float32(0.5))
    assert len(backend.calls) == 6


@pytest.mark.parametrize(("x", "y", "message"), SETS)
def test_a_set_is_refused_and_the_one_before_stays(x: Any, y: Any, message: str) -> None:
    backend = Noted(NET, START)
    backend.load(X, Y)
    with pytest.raises(RequestError, match=re.escape(message)):
        backend.load(x, y)
    assert backend.rows == 7


def test_load_counts_the_rows_and_may_be_called_again() -> None:
    backend = Noted(NET, START)
    assert backend.rows == 0
    backend.load(X, Y)
    backend.load(X[:2], Y[:2])
    assert backend.rows == 2


@pytest.mark.parametrize("rate", [math.nan, math.inf, -math.inf, "0.1", None, True, 1j])
def test_a_rate_that_is_no_finite_number_reaches_no_backend(rate: Any) -> None:
    backend = Noted(NET, START)
    backend.load(X, Y)
    with pytest.raises(RequestError, match=re.escape(f"rate={rate!r}: give a finite number")):
        backend.train_epoch(2, rate)
    assert backend.calls == []


@pytest.mark.parametrize("size", [0, -1, 2.0, "2", None, True])
def test_a_batch_size_that_is_no_whole_number_reaches_no_backend(size: Any) -> None:
    backend = Noted(NET, START)
    backend.load(X, Y)
    with pytest.raises(RequestError, match=re.escape(f"batch_size={size!r}")):
        backend.train_epoch(size, 0.1)
    assert backend.calls == []


def test_an_epoch_is_forward_backprop_step_for_every_batch_the_last_one_ragged() -> None:
    backend = Noted(NET, START)
    backend.load(X, Y)
    backend.train_epoch(3, 0.5)
    slices = [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert backend.calls == [one for s in slices for one in (("forward", s), ("backprop", s), ("step", 0.5))]


def test_a_batch_larger_than_the_set_is_the_set() -> None:
    backend = Noted(NET, START)
    backend.load(X, Y)
    backend.train_epoch(100, 0.5)
    assert backend.calls[0] == ("forward", slice(0, 7))
    assert len(backend.calls) == 3


def test_with_closes_also_when_something_is_raised() -> None:
    backend = Noted(NET, START)
    with pytest.raises(ZeroDivisionError), backend as entered:
        entered.calls.append(1 / 0)
    assert backend.calls == ["close"]


def test_what_a_backend_need_not_say_has_an_answer() -> None:
    backend = Noted(NET, START)
    backend.sync()
    assert (dict(backend.facts()), backend.rank()) == ({}, 0)


def test_a_class_that_lacks_a_method_cannot_be_made() -> None:
    class Lacking(Noted):
        step = Backend.step

    with pytest.raises(TypeError, match="step"):
        Lacking(NET, START)


@pytest.mark.parametrize(
    ("dtype", "workers", "given", "message"),
    [
        ("float32", 1, {"precision": "tf32"}, "precision=tf32 is a format of CUDA's tensor cores: ask for device=cuda"),
        ("float64", 1, {"precision": "bf16"}, "precision=bf16 trains float32 networks only, not float64"),
        ("float64", 1, {"precision": "tf32", "device": "cuda"}, "precision=tf32 trains float32 networks only"),
        ("float32", 2, {"device": "cuda"}, "one CUDA device is one worker, not 2"),
    ],
)
def test_what_the_reserved_options_cannot_mean_together_is_unsupported(
    dtype: str, workers: int, given: dict[str, str], message: str
) -> None:
    with pytest.raises(Unsupported, match=re.escape(message)):
        check_reserved(Network.dense([3, 2], dtype=dtype), workers, **given)


@pytest.mark.parametrize("given", [{}, {"device": "cuda", "precision": "tf32"}, {"precision": "bf16"}])
def test_what_they_can_mean_passes(given: dict[str, str]) -> None:
    check_reserved(Network.dense([3, 2]), 1, **given)
