"""All parameters of a network in one flat array, and a table with the place of each layer in it.

The array and the table have the same types for every network, so kernels are compiled once for each dtype.
"""

from __future__ import annotations

import numpy as np

from harness import Array, Network, Parameters
from harness_numba.pointwise import Pointwise

FIELDS = ("inputs", "outputs", "weights", "bias", "end", "neurons", "kind", "value", "slope")
TABLE = np.dtype([(name, np.int64) for name in FIELDS])
"""One layer: its sizes, where its weights and bias begin and end in the flat parameters, where its neurons begin
among all neurons, and its activation (kind and two addresses)."""


def table(network: Network, pointwise: list[Pointwise]) -> Array:
    """Return one record for each layer."""
    rows: list[tuple[int, ...]] = []
    at = neurons = 0
    for layer, function in zip(network.layers, pointwise, strict=True):
        bias = at + layer.inputs * layer.outputs
        end = bias + layer.outputs
        own = (function.kind, function.value, function.slope)
        rows.append((layer.inputs, layer.outputs, at, bias, end, neurons, *own))
        at, neurons = end, neurons + layer.outputs
    return np.array(rows, TABLE)


def packed(parameters: Parameters, *, transposed: bool = False) -> Array:
    """Return a fresh flat copy, for each layer its weights and its bias; ``transposed``: each row is one neuron."""
    turned = [(w.T if transposed else w, b) for w, b in parameters]
    return np.concatenate([part.ravel() for pair in turned for part in pair])


def unpacked(network: Network, flat: Array, *, transposed: bool = False) -> Parameters:
    """Return fresh C-ordered ``(weights, bias)`` pairs from a flat copy: the inverse of ``packed``."""
    parameters: Parameters = []
    at = 0
    for layer in network.layers:
        bias = at + layer.inputs * layer.outputs
        shape = (layer.outputs, layer.inputs) if transposed else (layer.inputs, layer.outputs)
        weights = flat[at:bias].reshape(shape)
        at = bias + layer.outputs
        parameters.append((np.array(weights.T if transposed else weights, order="C"), flat[bias:at].copy()))
    return parameters
