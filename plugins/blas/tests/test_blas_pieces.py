"""The pieces that ``blas``, ``example``, ``threads`` and ``shm`` are made of."""

from __future__ import annotations

import numpy as np
import pytest
from harness_blas import library
from harness_blas.limits import ThreadLimit, in_force
from harness_blas.passes import Buffers, Pass

from harness import Activation, Network, activation, initial_parameters
from harness.plugin import cores, reference

DTYPES = ["float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("found", ["blas", "numpy"])
def test_a_product_is_added_into_slices_of_rows_and_columns(
    dtype: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if found == "numpy":
        monkeypatch.setattr(library, "_symbol", lambda _: None)
    routines = library.routines.__wrapped__(dtype)
    assert routines.folded == (found == "blas")
    random = np.random.default_rng(0)
    a, b, c = (random.random(shape).astype(dtype) for shape in ((5, 8), (5, 3), (4, 3)))
    expected = c - 0.5 * a[:, 2:6].T @ b
    routines.add_product(c, -0.5, a[:, 2:6], b)
    np.testing.assert_allclose(c, expected, rtol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("found", ["blas", "numpy"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (1, 5), (300, 257)])
def test_an_outer_product_is_added(
    dtype: str, found: str, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if found == "numpy":
        monkeypatch.setattr(library, "_symbol", lambda _: None)
    random = np.random.default_rng(0)
    a, b, c = random.random(shape[0]), random.random(shape[1]), random.random(shape)
    a, b, c = a.astype(dtype), b.astype(dtype), c.astype(dtype)
    expected = c + 2 * np.outer(a, b)
    library.routines.__wrapped__(dtype).add_outer(c, 2.0, a, b)
    np.testing.assert_allclose(c, expected, rtol=1e-5 if dtype == "float32" else 1e-13)


def test_the_smallest_claim_to_threads_holds_and_the_last_to_leave_restores() -> None:
    before = in_force()
    many, single = ThreadLimit(cores()), ThreadLimit(1)
    assert in_force() == 1
    single.release()
    single.release()
    assert in_force() == cores()
    many.release()
    assert in_force() == before


def test_no_claim_goes_beyond_the_cores() -> None:
    """More threads than cores would spin on each other's time."""
    claim = ThreadLimit(cores() + 1)
    assert in_force() == cores()
    claim.release()


@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_an_activation_of_a_plugin_runs_in_its_array_form(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sigmoid under another name, so that no shortcut applies: it needs ``z`` kept, and the chain rule for bce."""
    plain = activation("sigmoid")
    custom = Activation("custom", plain.value, plain.slope, plain.range)
    network = Network.dense([3, 5, 2], loss=loss, dtype="float64")
    start = initial_parameters(network)
    random = np.random.default_rng(3)
    x, y = random.standard_normal((4, 3)), random.random((4, 2))
    passed = reference.forward(network, start, x)
    expected = reference.backprop(network, start, passed, y)
    monkeypatch.setattr("harness_blas.passes.activation", lambda _: custom)
    batch = Pass(Buffers(network, 4, np.empty), 0, 4)
    batch.forward(start, x)
    batch.backward(start, y, 4)
    np.testing.assert_allclose(batch.outputs, passed.outputs, rtol=1e-13)
    for a_in, stage, (dw, db) in zip(batch.inputs(x), batch.stages, expected, strict=True):
        np.testing.assert_allclose(a_in.T @ stage.delta, dw, atol=1e-14)
        np.testing.assert_allclose(stage.delta.sum(axis=0), db, atol=1e-14)


def test_passes_over_parts_of_a_batch_make_the_deltas_of_the_whole() -> None:
    network = Network.dense([3, 9, 2], activation=["relu", "linear"], loss="ce", dtype="float64")
    start = initial_parameters(network)
    random = np.random.default_rng(4)
    x, y = random.standard_normal((5, 3)), np.eye(2)[random.integers(2, size=5)]
    whole, parts = Buffers(network, 8, np.empty), Buffers(network, 8, np.empty)
    for buffers, cuts in ((whole, [slice(0, 5)]), (parts, [slice(0, 2), slice(2, 5)])):
        for rows in cuts:
            batch = Pass(buffers, rows.start, rows.stop)
            batch.forward(start, x[rows])
            batch.backward(start, y[rows], 5)
    for delta, other in zip(whole.delta, parts.delta, strict=True):
        np.testing.assert_allclose(delta[:5], other[:5], atol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_saturated_sigmoid_raises_no_warning_and_keeps_its_tail(dtype: str) -> None:
    network = Network.dense([1, 1], dtype=dtype)
    buffers = Buffers(network, 4, lambda shape: np.empty(shape, dtype))
    batch = Pass(buffers, 0, 4)
    weights = [(np.ones((1, 1), dtype), np.zeros(1, dtype))]
    batch.forward(weights, np.array([[-1000], [-30], [30], [1000]], dtype))
    expected = [0, np.exp(-30.0), 1, 1]
    np.testing.assert_allclose(batch.outputs[:, 0], expected, rtol=1e-6, atol=1e-37)
