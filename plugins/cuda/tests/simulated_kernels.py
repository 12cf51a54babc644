"""Every kernel on Numba's simulator against NumPy; ``test_cuda_simulated.py`` starts these in a Python of their own.

A template takes a tile of any size, so most of these use 2 by 2 threads: the simulator starts a Python thread for every
thread of a block. Whatever a kernel should not read is NaN, and whatever it should not write keeps its mark.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from harness_cuda import khandait_kernels as k1
from harness_cuda import paper_kernels as k5
from harness_cuda.device import download, real, simulated, upload
from harness_cuda.pointwise import error, pointwise
from harness_cuda.variant import blocks, descend

from harness import Array, Network, activation
from harness.plugin import output_delta

MARK = 77.0
SPARE = 2
"""Examples that a buffer holds beside those of the batch."""
START = 1
"""Where the batch begins in the set."""
SMALL = list(itertools.product([1, 2, 3, 5], repeat=3))
"""Neurons, inputs and examples: below, at and above the edge of a tile of 2, and more than two tiles."""
EDGES = [(tile, (tile + 1, tile - 1, 1)) for tile in (8, 16)] + [(8, (7, 9, 8)), (8, (8, 8, 9)), (32, (3, 33, 2))]
"""Real tiles, each with sizes around its edge."""
CASES = [*((2, sizes) for sizes in SMALL), *EDGES]
FEW = [(2, sizes) for sizes in [(1, 1, 1), (2, 4, 2), (3, 2, 5), (5, 3, 3)]]


@pytest.fixture(autouse=True, scope="module")
def _quick_turns() -> Iterator[None]:
    """Let Python's threads take turns often: the simulator's own loop waits for them without giving way."""
    assert simulated(), "these tests need NUMBA_ENABLE_CUDASIM=1 before Python starts"
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Problem:
    """Matrices as the variant ``paper`` lays them out, with one row an example."""

    def __init__(self, sizes: tuple[int, int, int], dtype: str = "float64") -> None:
        self.neurons, self.inputs, self.count = sizes
        self.dtype = dtype
        self.random = np.random.default_rng(sizes)
        self.tolerance = 50 * float(np.finfo(dtype).eps)

    def matrix(self, rows: int, columns: int) -> Array:
        """Return random numbers."""
        return self.random.uniform(-1, 1, (rows, columns)).astype(self.dtype)

    def set(self, columns: int) -> tuple[Array, Array]:
        """Return a set with NaN around the batch, and the batch."""
        whole = np.full((START + self.count + SPARE, columns), np.nan, self.dtype)
        whole[START : START + self.count] = self.matrix(self.count, columns)
        return whole, whole[START : START + self.count]

    def buffer(self, columns: int, filled: Array | None = None) -> Array:
        """Return a buffer for more examples than there are; what lies beside the batch is NaN or has the mark."""
        whole = np.full((self.count + SPARE, columns), MARK if filled is None else np.nan, self.dtype)
        if filled is not None:
            whole[: self.count] = filled
        return whole

    def same(self, found: Array, wanted: Array) -> None:
        """Assert that the batch's rows are as wanted and that the rows beside them have their mark."""
        np.testing.assert_allclose(found[: self.count], wanted, rtol=self.tolerance, atol=self.tolerance)
        beside = found[self.count :]
        assert np.all((beside == MARK) | np.isnan(beside))

    def grid(self, tile: int, columns: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the grid over a matrix of the batch and the block."""
        return (blocks(self.count, tile), blocks(columns, tile)), (tile, tile)


def run(kernel: Any, grid: Any, *arguments: Any) -> list[Array]:
    """Run a kernel on copies of the arrays and return them as it left them."""
    sent = [upload(given) if isinstance(given, np.ndarray) else given for given in arguments]
    kernel[grid](*sent)
    return [download(was) for was, given in zip(sent, arguments, strict=True) if isinstance(given, np.ndarray)]


def layered(tile_and_sizes: list[Any]) -> Any:
    return pytest.mark.parametrize(("tile", "sizes"), tile_and_sizes, ids=str)


@layered(CASES)
def test_forward(tile: int, sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    weights, (whole, x) = case.matrix(case.neurons, case.inputs + 1), case.set(case.inputs)
    f = pointwise("tanh", real(case.dtype))
    forward = k5.forward(real(case.dtype), tile, f.value)
    above = case.buffer(case.neurons)
    *_, found = run(forward, case.grid(tile, case.neurons), weights, whole, START, case.count, above)
    case.same(found, np.tanh(x @ weights[:, :-1].T + weights[:, -1]))


@layered([*FEW, *EDGES])
@pytest.mark.parametrize("loss", ["mse", "bce", "ce"])
def test_output_delta(tile: int, sizes: tuple[int, int, int], loss: str) -> None:
    case = Problem(sizes)
    last = {"mse": "linear", "bce": "sigmoid", "ce": "linear"}[loss]
    network = Network.dense([1, case.neurons], activation=last, loss=loss, dtype=case.dtype)
    a, (whole, y) = case.matrix(case.count, case.neurons) ** 2, case.set(case.neurons)
    kernel = k5.output_delta(real(case.dtype), tile, error(network, real(case.dtype)))
    grid = case.grid(tile, case.neurons)
    outputs, delta = case.buffer(case.neurons, a), case.buffer(case.neurons)
    *_, found = run(kernel, grid, outputs, whole, START, case.count, delta)
    case.same(found, -case.count * output_delta(loss, activation(last), a, a, y))


@layered(CASES)
def test_transposed_product(tile: int, sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    weights, delta = case.matrix(case.neurons, case.inputs + 1), case.matrix(case.count, case.neurons)
    weights[:, -1] = np.nan  # a bias has no input to hand an error on to
    kernel = k5.transposed_product(real(case.dtype), tile)
    held, product = case.buffer(case.neurons, delta), case.buffer(case.inputs)
    *_, found = run(kernel, case.grid(tile, case.inputs), weights, held, case.count, product)
    case.same(found, delta @ weights[:, :-1])


@layered(CASES)
def test_hadamard_slope(tile: int, sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    weights, (whole, x) = case.matrix(case.neurons, case.inputs + 1), case.set(case.inputs)
    delta = case.matrix(case.count, case.neurons)
    f = pointwise("tanh", real(case.dtype))
    kernel = k5.hadamard_slope(real(case.dtype), tile, f.value, f.slope)
    held = case.buffer(case.neurons, delta)
    *_, found = run(kernel, case.grid(tile, case.neurons), weights, whole, START, case.count, held)
    case.same(found, delta * (1 - np.tanh(x @ weights[:, :-1].T + weights[:, -1]) ** 2))


@layered([*FEW, *EDGES])
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "linear"])
def test_hadamard_slope_from_output(tile: int, sizes: tuple[int, int, int], name: str) -> None:
    case = Problem(sizes)
    z, delta = case.matrix(case.count, case.neurons), case.matrix(case.count, case.neurons)
    a = activation(name).value(np, z)
    kernel = k5.hadamard_slope_from_output(real(case.dtype), tile, pointwise(name, real(case.dtype)).slope)
    outputs, held = case.buffer(case.neurons, a), case.buffer(case.neurons, delta)
    *_, found = run(kernel, case.grid(tile, case.neurons), outputs, case.count, held)
    case.same(found, delta * activation(name).slope(np, z, a))


@layered(CASES)
def test_weight_update(tile: int, sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    delta, (whole, x) = case.matrix(case.count, case.neurons), case.set(case.inputs)
    before = case.matrix(case.neurons, case.inputs + 1)
    kernel = k5.weight_update(real(case.dtype), tile)
    grid = (blocks(case.inputs + 1, tile), blocks(case.neurons, tile)), (tile, tile)
    held, after = case.buffer(case.neurons, delta), np.full_like(before, np.nan)
    scale = real(case.dtype)(0.25)
    *_, found = run(kernel, grid, held, whole, START, case.count, scale, before, after)
    wanted = before + 0.25 * np.column_stack([delta.T @ x, delta.sum(axis=0)])
    np.testing.assert_allclose(found, wanted, rtol=case.tolerance, atol=case.tolerance)


def test_weight_update_may_write_to_what_it_reads() -> None:
    case = Problem((3, 4, 5))
    delta, (whole, x) = case.matrix(case.count, case.neurons), case.set(case.inputs)
    weights = case.matrix(case.neurons, case.inputs + 1)
    on_device = upload(weights)
    kernel, grid = k5.weight_update(real(case.dtype), 2), ((3, 2), (2, 2))
    kernel[grid](upload(delta), upload(whole), START, case.count, np.float64(-0.5), on_device, on_device)
    wanted = weights - 0.5 * np.column_stack([delta.T @ x, delta.sum(axis=0)])
    np.testing.assert_allclose(download(on_device), wanted, rtol=case.tolerance, atol=case.tolerance)


def test_float32_stays_float32() -> None:
    case = Problem((5, 3, 3), "float32")
    weights, (whole, x) = case.matrix(case.neurons, case.inputs + 1), case.set(case.inputs)
    forward = k5.forward(np.float32, 2, pointwise("sigmoid", np.float32).value)
    *_, found = run(forward, case.grid(2, 5), weights, whole, START, case.count, case.buffer(5))
    assert found.dtype == np.float32
    case.same(found, 1 / (1 + np.exp(-(x @ weights[:, :-1].T + weights[:, -1]))))


def turned(*arrays: Array) -> list[Array]:
    """Return matrices as ``khandait`` lays them out, with one column an example."""
    return [np.ascontiguousarray(array.T) for array in arrays]


def over(columns: int, rows: int) -> Any:
    """Return a grid of blocks of 2 by 2 threads: the kernels do not know the size of a block."""
    return (blocks(columns, 2), blocks(rows, 2)), (2, 2)


def along(size: int) -> Any:
    """Return a grid of blocks of 3 threads."""
    return blocks(size, 3), 3


@pytest.mark.parametrize("sizes", SMALL, ids=str)
def test_linear_forward(sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    weights, bias, (whole, x) = case.matrix(*sizes[:2]), case.matrix(case.neurons, 1), case.set(case.inputs)
    below, z = turned(whole, case.buffer(case.neurons))
    kernel = k1.linear_forward(real(case.dtype))
    *_, found = run(kernel, over(case.count, case.neurons), weights, bias, below, START, case.count, z)
    case.same(found.T, x @ weights.T + bias.T)


@pytest.mark.parametrize("sizes", SMALL, ids=str)
def test_linear_backward(sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    weights, delta = case.matrix(*sizes[:2]), case.matrix(case.count, case.neurons)
    dz, da = turned(case.buffer(case.neurons, delta), case.buffer(case.inputs))
    kernel = k1.linear_backward(real(case.dtype))
    *_, found = run(kernel, over(case.count, case.inputs), weights, dz, case.count, da)
    case.same(found.T, delta @ weights)


@pytest.mark.parametrize("sizes", SMALL, ids=str)
def test_linear_update(sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    before, delta, (whole, x) = case.matrix(*sizes[:2]), case.matrix(case.count, case.neurons), case.set(case.inputs)
    dz, below = turned(case.buffer(case.neurons, delta), whole)
    kernel, scale = k1.linear_update(real(case.dtype)), real(case.dtype)(0.25)
    grid = over(case.inputs, case.neurons)
    *_, found = run(kernel, grid, dz, below, START, case.count, scale, before, np.full_like(before, np.nan))
    np.testing.assert_allclose(found, before + 0.25 * delta.T @ x, rtol=case.tolerance, atol=case.tolerance)


@pytest.mark.parametrize("sizes", [sizes for _, sizes in FEW], ids=str)
def test_bias_update(sizes: tuple[int, int, int]) -> None:
    case = Problem(sizes)
    before, delta = case.matrix(case.neurons, 1), case.matrix(case.count, case.neurons)
    (dz,) = turned(case.buffer(case.neurons, delta))
    kernel, scale = k1.bias_update(real(case.dtype)), real(case.dtype)(0.25)
    *_, found = run(kernel, along(case.neurons), dz, case.count, scale, before, np.full_like(before, np.nan))
    np.testing.assert_allclose(found[:, 0], before[:, 0] + 0.25 * delta.sum(axis=0), rtol=case.tolerance)


@pytest.mark.parametrize("sizes", [sizes for _, sizes in FEW], ids=str)
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "linear"])
def test_activations_forward_and_backward(sizes: tuple[int, int, int], name: str) -> None:
    case = Problem(sizes)
    f, wanted, number = pointwise(name, real(case.dtype)), activation(name), real(case.dtype)
    z, dz = case.matrix(case.count, case.neurons), case.matrix(case.count, case.neurons)
    on_z, on_a, on_dz = turned(*(case.buffer(case.neurons, filled) for filled in (z, None, dz)))
    grid = along(case.neurons * case.count)
    _, a = run(k1.activation_forward(number, f.value), grid, on_z, case.count, on_a)
    case.same(a.T, wanted.value(np, z))
    right = dz * wanted.slope(np, z, wanted.value(np, z))
    *_, kept = run(k1.activation_backward(number, f.slope), grid, on_z, a, case.count, on_dz)
    case.same(kept.T, right)
    *_, again = run(k1.activation_backward_again(number, f.value, f.slope), grid, on_z, case.count, on_dz)
    case.same(again.T, right)


@pytest.mark.parametrize("sizes", [sizes for _, sizes in FEW], ids=str)
@pytest.mark.parametrize("loss", ["mse", "bce", "ce"])
def test_loss_backward(sizes: tuple[int, int, int], loss: str) -> None:
    case = Problem(sizes)
    last = {"mse": "linear", "bce": "sigmoid", "ce": "linear"}[loss]
    network = Network.dense([1, case.neurons], activation=last, loss=loss, dtype=case.dtype)
    a, (whole, y) = case.matrix(case.count, case.neurons) ** 2, case.set(case.neurons)
    outputs, targets, da = turned(case.buffer(case.neurons, a), whole, case.buffer(case.neurons))
    kernel = k1.loss_backward(real(case.dtype), error(network, real(case.dtype)))
    *_, found = run(kernel, along(case.neurons * case.count), outputs, targets, START, case.count, da)
    case.same(found.T, case.count * output_delta(loss, activation(last), a, a, y))


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (2, 5)], ids=str)
def test_descend(shape: tuple[int, int]) -> None:
    case = Problem((*shape, 1))
    gradient, weights = case.matrix(*shape), case.matrix(*shape)
    _, found = run(descend(np.float64), along(weights.size), gradient, np.float64(0.5), weights)
    np.testing.assert_allclose(found, weights - 0.5 * gradient, rtol=case.tolerance)
