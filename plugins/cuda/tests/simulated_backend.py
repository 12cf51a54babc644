"""The whole backend on Numba's simulator; ``test_cuda_simulated.py`` starts these in a Python of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from harness_cuda import device
from harness_cuda.backend import CudaBackend
from numba import cuda
from numba.cuda.simulator.args import InOut
from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

import harness
from harness import Array, Network, Parameters, Unsupported
from harness.plugin import reference
from tests.fakes.registering import register

PAPER = {"tile": 8}
VARIANTS: list[dict[str, Any]] = [
    {**PAPER, "slope": "recompute"},
    {**PAPER, "slope": "output"},
    {"variant": "khandait", "slope": "recompute"},
    {"variant": "khandait", "slope": "output"},
]
ENDINGS = [("tanh", "mse"), ("sigmoid", "bce"), ("linear", "ce"), ("relu", "mse"), ("linear", "mse")]
BENT = harness.Activation(
    "bent",
    lambda xp, z: (xp.sqrt(z * z + 1) - 1) / 2 + z,
    lambda xp, z, _a: z / (2 * xp.sqrt(z * z + 1)) + 1,
    (-float("inf"), float("inf")),
    lambda z: ((z * z + 1.0) ** 0.5 - 1.0) / 2.0 + z,
    lambda z, _a: z / (2.0 * (z * z + 1.0) ** 0.5) + 1.0,
)
HALF = harness.Activation(
    "half",
    lambda xp, z: 0.5 + z / (2 + 2 * xp.abs(z)),
    lambda xp, z, _a: 0.5 / (1 + xp.abs(z)) ** 2,
    (0.0, 1.0),
    lambda z: 0.5 + z / (2.0 + 2.0 * abs(z)),
    lambda z, _a: 0.5 / (1.0 + abs(z)) ** 2,
)


@pytest.fixture(autouse=True, scope="module")
def _quick_turns() -> Iterator[None]:
    """Let Python's threads take turns often: the simulator's own loop waits for them without giving way."""
    assert device.simulated(), "these tests need NUMBA_ENABLE_CUDASIM=1 before Python starts"
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def problem(
    *hidden: str, last: str = "sigmoid", loss: str = "mse", dtype: str = "float64", rows: int = 5, width: int = 7
) -> tuple[Network, Parameters, Array, Array]:
    """Return a small network, its start with biases that are not zero, and a set."""
    sizes = [5, *([width] * len(hidden)), 3]
    network = Network.dense(sizes, activation=[*hidden, last], loss=loss, dtype=dtype)
    random = np.random.default_rng(7)
    start = [(w, random.uniform(-1, 1, b.shape).astype(dtype)) for w, b in harness.initial_parameters(network, 3)]
    x = random.standard_normal((rows, 5)).astype(dtype)
    return network, start, x, np.eye(3, dtype=dtype)[random.integers(0, 3, rows)]


def same(found: Parameters, wanted: Parameters, dtype: str = "float64") -> None:
    """Assert that parameters agree to rounding."""
    tolerance = 100 * float(np.finfo(dtype).eps)
    for pair, right in zip(found, wanted, strict=True):
        for array, other in zip(pair, right, strict=True):
            assert array.dtype == dtype
            assert array.flags.c_contiguous
            np.testing.assert_allclose(array, other, rtol=tolerance, atol=tolerance)


ALL_ENDINGS = [(options, *ending) for options in (VARIANTS[0], VARIANTS[2]) for ending in ENDINGS]
SOME_ENDINGS = [(options, *ending) for options in (VARIANTS[1], VARIANTS[3]) for ending in ENDINGS[:2]]


@pytest.mark.parametrize(("options", "last", "loss"), [*ALL_ENDINGS, *SOME_ENDINGS], ids=str)
def test_an_epoch_with_a_ragged_batch_ends_where_the_reference_ends(
    options: dict[str, Any], last: str, loss: str
) -> None:
    network, start, x, y = problem("sigmoid", last=last, loss=loss)
    with CudaBackend(network, start, **options) as backend:
        backend.load(x, y)
        backend.train_epoch(3, 0.3)
        backend.sync()
        same(backend.parameters(), reference.train_epoch(network, start, x, y, 3, 0.3))


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_the_three_steps_do_what_the_contract_says(options: dict[str, Any]) -> None:
    network, start, x, y = problem("tanh", "relu", width=9)  # more than one tile of 8
    rows = slice(2, 5)
    with CudaBackend(network, start, **options) as backend:
        backend.load(x, y)
        backend.forward(slice(0, 1))  # buffers grow with the next one
        backend.forward(rows)
        backend.backprop(rows)
        a = x[rows]
        for layer, (weights, bias) in zip(network.layers, start, strict=True):
            a = harness.activation(layer.activation).value(np, a @ weights + bias)
        np.testing.assert_allclose(backend.outputs(), a, rtol=1e-13)
        stepped = reference.train_epoch(network, start, x[rows], y[rows], 3, 1.0)
        gradients = [(w - v, b - c) for (w, b), (v, c) in zip(start, stepped, strict=True)]
        same(backend.gradients(), gradients)
        same(backend.parameters(), start)
        backend.step(0.5)
        same(backend.parameters(), [(w - g / 2, b - h / 2) for (w, b), (g, h) in zip(start, gradients, strict=True)])


@pytest.mark.parametrize("options", [VARIANTS[0], VARIANTS[2]], ids=str)
def test_float32_trains_in_float32(options: dict[str, Any]) -> None:
    network, start, x, y = problem("tanh", dtype="float32")
    with CudaBackend(network, start, **options) as backend:
        backend.load(x, y)
        backend.train_epoch(5, 0.3)
        same(backend.parameters(), reference.train_epoch(network, start, x, y, 5, 0.3), "float32")


@pytest.mark.parametrize("options", [VARIANTS[0], VARIANTS[2], VARIANTS[3]], ids=str)
def test_registered_activations_run_by_their_scalar_form(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, BENT)
    register(monkeypatch, HALF)
    network, start, x, y = problem("bent", last="half", loss="bce")
    with CudaBackend(network, start, **options) as backend:
        backend.load(x, y)
        backend.train_epoch(5, 0.1)
        same(backend.parameters(), reference.train_epoch(network, start, x, y, 5, 0.1))


def test_a_slope_from_the_output_is_refused_where_it_may_need_z(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, BENT)
    network, start, _, _ = problem("bent")
    with pytest.raises(Unsupported, match="slope of activation 'bent' may need z"):
        CudaBackend(network, start, slope="output", tile=8)


@pytest.mark.parametrize("options", [VARIANTS[0], VARIANTS[2]], ids=str)
def test_another_set_may_be_loaded_between_epochs(options: dict[str, Any]) -> None:
    network, start, x, y = problem()
    _, _, more, others = problem(rows=9)
    with CudaBackend(network, start, **options) as backend:
        for one, two in ((x, y), (more, others)):
            backend.load(one, two)
            backend.train_epoch(9, 0.3)
            start = reference.train_epoch(network, start, one, two, 9, 0.3)
        same(backend.parameters(), start)


def _refused(*_arguments: Any, **_options: Any) -> None:
    raise AssertionError("an epoch copies, or takes memory")


@pytest.mark.parametrize("options", [VARIANTS[0], VARIANTS[2]], ids=str)
def test_an_epoch_copies_nothing_and_takes_no_memory_once_its_buffers_are_there(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, start, x, y = problem("sigmoid")
    with CudaBackend(network, start, **options) as backend:
        backend.load(x, y)
        backend.train_epoch(3, 0.3)
        with monkeypatch.context() as patch:
            for name in ("to_device", "device_array", "device_array_like", "pinned_array", "mapped_array"):
                patch.setattr(cuda, name, _refused)
            for name in ("copy_to_host", "copy_to_device"):
                patch.setattr(FakeCUDAArray, name, _refused)
            patch.setattr(InOut, "to_device", _refused)  # what a NumPy array in a kernel's arguments would do
            backend.train_epoch(3, 0.3)
        wanted = reference.train_epoch(network, start, x, y, 3, 0.3)
        same(backend.parameters(), reference.train_epoch(network, wanted, x, y, 3, 0.3))


def test_the_receipt_says_that_no_gpu_ran() -> None:
    network, start, x, y = problem()
    with CudaBackend(network, start, tile=8) as backend:
        backend.load(x, y)
        facts = backend.facts()
    assert facts["device"] == "simulator"
    assert "no GPU ran" in str(facts["note"])
    held = sum(w.nbytes + b.nbytes for w, b in start) + x.nbytes + y.nbytes
    assert facts["device_peak_bytes"] == held


def test_the_default_tile_trains_too() -> None:
    network, start, x, y = problem()
    with CudaBackend(network, start) as backend:
        backend.load(x, y)
        backend.train_epoch(5, 0.3)
        same(backend.parameters(), reference.train_epoch(network, start, x, y, 5, 0.3))
