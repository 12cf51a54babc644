"""Where training starts: weights drawn in float64 from a seed, then rounded to the network's dtype."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.contract.arrays import Array, Parameters
from harness.contract.checks import one_of
from harness.contract.network import Layer, Network
from harness.errors import RequestError


def initial_parameters(network: Network, seed: int = 0, *, init: str = "glorot_uniform") -> Parameters:
    """Return fresh start parameters: the same arrays for the same network, seed and ``init``, on every machine.

    ``glorot_uniform`` has zero biases; ``uniform01`` draws weights and biases from [0, 1); ``zeros`` is all zero.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise RequestError(f"seed={seed!r}: give a whole number, 0 or more")
    draw = INITIALISATIONS[one_of("init", init, INITIALISATIONS)]
    generator = np.random.default_rng(seed)
    pairs = [draw(generator, layer) for layer in network.layers]
    return [(weights.astype(network.dtype), bias.astype(network.dtype)) for weights, bias in pairs]


def _glorot_uniform(generator: np.random.Generator, layer: Layer) -> tuple[Array, Array]:
    limit = np.sqrt(6.0 / (layer.inputs + layer.outputs))
    return generator.uniform(-limit, limit, (layer.inputs, layer.outputs)), np.zeros(layer.outputs)


def _uniform01(generator: np.random.Generator, layer: Layer) -> tuple[Array, Array]:
    return generator.random((layer.inputs, layer.outputs)), generator.random(layer.outputs)


def _zeros(_generator: np.random.Generator, layer: Layer) -> tuple[Array, Array]:
    return np.zeros((layer.inputs, layer.outputs)), np.zeros(layer.outputs)


INITIALISATIONS: dict[str, Callable[[np.random.Generator, Layer], tuple[Array, Array]]] = {
    "glorot_uniform": _glorot_uniform,
    "uniform01": _uniform01,
    "zeros": _zeros,
}
