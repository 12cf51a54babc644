"""What is special about ``blas`` and ``example``; that they compute right is the conformance suite's business."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from harness_blas.backend import BlasBackend
from harness_blas.example import ExampleBackend
from harness_blas.limits import in_force

from harness import Network, Unavailable, initial_parameters
from harness.plugin import cores

BACKENDS = [BlasBackend, ExampleBackend]
Kind = type[BlasBackend] | type[ExampleBackend]


def _backend(kind: Kind, network: Network, rows: int = 300, workers: int = 1) -> BlasBackend | ExampleBackend:
    backend = kind(network, initial_parameters(network), workers=workers)
    random = np.random.default_rng(0)
    y = random.random((rows, network.outputs))
    x = random.standard_normal((rows, network.inputs))
    backend.load(x.astype(network.dtype), (y / y.sum(axis=1, keepdims=True)).astype(network.dtype))
    return backend


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu", "linear"])
@pytest.mark.parametrize(("last", "loss"), [("sigmoid", "mse"), ("sigmoid", "bce"), ("linear", "ce")])
def test_a_step_allocates_no_array(kind: Kind, hidden: str, last: str, loss: str) -> None:
    """The smallest array here is 128 kB; NumPy's iterator takes up to 32 kB while it adds a bias to every row."""
    network = Network.dense([256, 384, 256], activation=[hidden, last], loss=loss)
    with _backend(kind, network) as backend:
        for act in (partial(backend.train_epoch, 128, 0.01), partial(_three_steps, backend, 0.01)):
            act()
            assert min(_peak(act) for _ in range(3)) < 48_000


def _peak(act: Callable[[], None]) -> int:
    """Return the most bytes that were allocated at once; now and then Python itself takes some for its own ends."""
    tracemalloc.start()
    act()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def _three_steps(backend: BlasBackend | ExampleBackend, rate: float) -> None:
    backend.forward(slice(0, 128))
    backend.backprop(slice(0, 128))
    backend.step(rate)


def test_buffers_grow_once_and_stay() -> None:
    with _backend(BlasBackend, Network.dense([4, 8, 2])) as backend:
        assert isinstance(backend, BlasBackend)
        for rows, capacity in ((8, 8), (3, 8), (20, 20), (8, 20)):
            backend.forward(slice(0, rows))
            assert backend.outputs().shape == (rows, 2)
            assert backend._buffers.capacity == capacity


@pytest.mark.parametrize("kind", BACKENDS)
def test_instances_side_by_side_keep_to_the_smaller_number_of_threads(kind: Kind) -> None:
    network = Network.dense([4, 2])
    before = in_force()
    with _backend(kind, network, workers=2) as two:
        assert two.facts()["threads"] == min(2, cores())
        with _backend(kind, network, workers=1) as one:
            assert one.facts()["threads"] == two.facts()["threads"] == 1
        assert two.facts()["threads"] == min(2, cores())
    assert in_force() == before


@pytest.mark.parametrize("kind", BACKENDS)
def test_kernels_that_are_not_in_force_are_unavailable(kind: Kind) -> None:
    network = Network.dense([2, 1])
    before = in_force()
    with pytest.raises(Unavailable, match="NoSuchCore"):
        kind(network, initial_parameters(network), workers=2, kernels="NoSuchCore")
    assert in_force() == before


def test_per_sample_training_equals_batches_of_one_by_the_three_steps() -> None:
    network = Network.dense([6, 5, 2], activation="tanh", dtype="float64")
    with _backend(ExampleBackend, network, 9) as fused, _backend(ExampleBackend, network, 9) as plain:
        fused.train_epoch(1, 0.2)
        for row in range(9):
            plain.forward(slice(row, row + 1))
            plain.backprop(slice(row, row + 1))
            plain.step(0.2)
        for pair, other in zip(fused.parameters(), plain.parameters(), strict=True):
            np.testing.assert_allclose(pair[0], other[0], atol=1e-14)
            np.testing.assert_allclose(pair[1], other[1], atol=1e-14)
