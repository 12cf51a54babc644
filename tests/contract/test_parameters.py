from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from harness import Network, RequestError, initial_parameters
from harness.contract.parameters import INITIALISATIONS

NET = Network.dense([30, 20, 5])


@pytest.mark.parametrize("init", INITIALISATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_dtype_and_order_are_the_contracts(init: str, dtype: str) -> None:
    net = Network.dense([30, 20, 5], dtype=dtype)
    start = initial_parameters(net, init=init)
    assert [(w.shape, b.shape) for w, b in start] == [((30, 20), (20,)), ((20, 5), (5,))]
    assert all(array.dtype == dtype and array.flags.c_contiguous and array.flags.owndata for p in start for array in p)


@pytest.mark.parametrize("init", ["glorot_uniform", "uniform01"])
def test_the_seed_and_nothing_else_decides(init: str) -> None:
    one, same, other = (initial_parameters(NET, seed, init=init) for seed in (7, 7, 8))
    assert all((w == v).all() and (b == c).all() for (w, b), (v, c) in zip(one, same, strict=True))
    assert all((w != v).any() for (w, _), (v, _) in zip(one, other, strict=True))


def test_the_numbers_of_a_seed_are_the_same_on_every_machine_and_in_every_version() -> None:
    (weights, _), _ = initial_parameters(Network.dense([2, 2, 1], dtype="float64"), seed=0)
    limit = np.sqrt(6 / 4)
    expected = -limit + 2 * limit * np.array([[0.6369616873214543, 0.2697867137638703], [0.04097352, 0.01652764]])
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_float32_is_the_rounded_float64() -> None:
    wide = initial_parameters(Network.dense([30, 20, 5], dtype="float64"), seed=3)
    narrow = initial_parameters(NET, seed=3)
    assert all((w.astype("float32") == v).all() for (w, _), (v, _) in zip(wide, narrow, strict=True))


def test_glorot_uniform_fills_its_range_and_has_zero_biases() -> None:
    for weights, bias in initial_parameters(NET):
        limit = np.sqrt(6 / sum(weights.shape))
        assert 0.8 * limit < np.abs(weights).max() <= limit
        assert not bias.any()


def test_uniform01_draws_weights_and_biases_from_0_to_1() -> None:
    for weights, bias in initial_parameters(NET, init="uniform01"):
        assert 0 <= weights.min() < 0.1
        assert 0.9 < weights.max() < 1
        assert (bias > 0).any()
        assert bias.max() < 1


def test_zeros_are_zero() -> None:
    assert not any(array.any() for pair in initial_parameters(NET, init="zeros") for array in pair)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, None])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(RequestError, match=re.escape(f"seed={seed!r}: give a whole number, 0 or more")):
        initial_parameters(NET, seed)


def test_an_unknown_initialisation_gets_the_nearest_right_name() -> None:
    with pytest.raises(RequestError, match="did you mean 'glorot_uniform'"):
        initial_parameters(NET, init="glorot")
