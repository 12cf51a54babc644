"""One batch: the reference's outputs and gradients, each with what a right backend may differ by.

The same passes as in ``harness.contract.reference``, line for line, with a bound carried beside every value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.contract.activations import Activation
from harness.contract.arrays import Array, Parameters
from harness.contract.losses import output_delta, softmax
from harness.contract.network import Network
from harness.contract.registry import activation
from harness.contract.tolerance.approximate import Approximate, activated, exact, product, sloped, times
from harness.contract.tolerance.units import Units, units


class Batch(NamedTuple):
    """Float64 outputs and gradients of one batch, and the same shapes again with what is allowed."""

    outputs: Array
    allowed_outputs: Array
    gradients: Parameters
    allowed_gradients: Parameters


def one_batch(network: Network, parameters: Parameters, x: Array, y: Array, precision: str = "ieee") -> Batch:
    """Return what forward and backprop must give for the rows ``x`` and ``y`` at exactly these parameters."""
    unit = units(network.dtype, precision)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        z, a = _forward(network, parameters, x, unit)
        pairs = _backprop(network, parameters, z, a, y.astype(np.float64), unit)
    return Batch(
        a[-1].value,
        a[-1].error,
        [(w.value, b.value) for w, b in pairs],
        [(w.error, b.error) for w, b in pairs],
    )


def _forward(
    network: Network, parameters: Parameters, x: Array, unit: Units
) -> tuple[list[Approximate], list[Approximate]]:
    zs, activations = [], [exact(x)]
    for layer, (weights, bias) in zip(network.layers, parameters, strict=True):
        z = product(activations[-1], exact(weights), unit)
        wide = np.asarray(bias, dtype=np.float64)
        z = Approximate(z.value + wide, z.error + unit.product(1) * np.abs(wide))
        zs.append(z)
        activations.append(activated(activation(layer.activation), z, unit))
    return zs, activations


def _backprop(
    network: Network, parameters: Parameters, z: list[Approximate], a: list[Approximate], y: Array, unit: Units
) -> list[tuple[Approximate, Approximate]]:
    gradients: list[tuple[Approximate, Approximate]] = []
    delta = _output_delta(network.loss, activation(network.layers[-1].activation), z[-1], a[-1], y, unit)
    ones = exact(np.ones((1, len(y))))
    for index in reversed(range(len(network.layers))):
        left = Approximate(a[index].value.T, a[index].error.T)
        bias = product(ones, delta, unit)
        gradients.insert(0, (product(left, delta, unit), Approximate(bias.value[0], bias.error[0])))
        if index:
            slope = sloped(activation(network.layers[index - 1].activation), z[index - 1], unit)
            delta = times(product(delta, exact(parameters[index][0].T), unit), slope, unit)
    return gradients


def _output_delta(loss: str, last: Activation, z: Approximate, a: Approximate, y: Array, unit: Units) -> Approximate:
    value = output_delta(loss, last, z.value, a.value, y)
    error = _delta_error(loss, last, z, a, y, unit) / len(y)
    return Approximate(value, error + unit.pointwise * np.abs(value) + unit.tiny)


def _delta_error(loss: str, last: Activation, z: Approximate, a: Approximate, y: Array, unit: Units) -> Array:
    """Return the error of ``rows * delta``; each branch follows one branch of ``losses.output_delta``."""
    if loss == "ce":
        return _softmax_error(z, unit)
    if loss == "bce" and last.name == "sigmoid":
        return np.asarray(a.error + unit.pointwise)
    slope = sloped(last, z, unit)
    miss = Approximate(a.value - y, a.error + unit.stored * np.abs(y))
    if loss == "mse":
        return 2 * times(miss, slope, unit).error
    return _chained_bce_error(miss, a, slope, unit)


def _softmax_error(z: Approximate, unit: Units) -> Array:
    p = softmax(z.value)
    below = z.value.max(axis=1, keepdims=True) - z.value
    shifted = z.error + (p * z.error).sum(axis=1, keepdims=True) + unit.pointwise * below
    return np.asarray(np.minimum(1.0, p * shifted + unit.pointwise * 2))


def _chained_bce_error(miss: Approximate, a: Approximate, slope: Approximate, unit: Units) -> Array:
    """Return the error of ``(a - y) f' / (a (1 - a))``, which grows without limit where the output saturates."""
    inside = np.maximum(a.value * (1 - a.value), unit.stored)
    top = times(miss, slope, unit)
    relative = (a.error + unit.pointwise * inside) / inside
    return np.asarray(top.error / inside + np.abs(top.value) / inside * relative)
