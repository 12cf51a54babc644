"""Activations and the errors of the losses for one element, as functions that kernels call."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness import Activation, Network, Unsupported, activation
from harness_cuda.device import DeviceArray, Real, inner, why_not


@dataclass(frozen=True)
class Pointwise:
    """An activation for one dtype: ``value(z)`` and ``slope(z, a)``, compiled for use in kernels."""

    value: Any
    slope: Any
    from_output: bool
    """Whether the slope follows from ``a`` alone, as ``a * (1 - a)`` does, so that ``z`` need not be known."""


def pointwise(name: str, real: Real) -> Pointwise:
    """Return an activation; one that has no scalar form, or none that a GPU can run, is ``Unsupported``."""
    wanted = activation(name)
    if name in SHIPPED:
        return _shipped(name, real)
    if wanted.scalar_value is None or wanted.scalar_slope is None:
        raise Unsupported(f"activation {name!r} has no scalar_value and scalar_slope, which CUDA kernels call")
    for function, arguments in ((wanted.scalar_value, 1), (wanted.scalar_slope, 2)):
        reason = why_not(function, arguments)
        if reason:
            raise Unsupported(f"activation {name!r}: Numba cannot compile {function.__name__} for CUDA: {reason}")
    return _registered(wanted, real)


@functools.cache
def _registered(wanted: Activation, real: Real) -> Pointwise:
    """Call the plugin's scalar pair, in float64 whatever the network's dtype: its constants are float64 anyway."""
    scalar_value, scalar_slope = inner(wanted.scalar_value), inner(wanted.scalar_slope)  # type: ignore[arg-type]

    @inner
    def value(z: Any) -> Any:
        return real(scalar_value(np.float64(z)))

    @inner
    def slope(z: Any, a: Any) -> Any:
        return real(scalar_slope(np.float64(z), np.float64(a)))

    return Pointwise(value, slope, from_output=False)


@functools.cache
def _shipped(name: str, real: Real) -> Pointwise:
    value, slope = SHIPPED[name](real)
    return Pointwise(inner(value), inner(slope), from_output=True)


def _linear(real: Real) -> tuple[Any, Any]:
    def value(z: Any) -> Any:
        return z

    def slope(_z: Any, _a: Any) -> Any:
        return real(1.0)

    return value, slope


def _sigmoid(real: Real) -> tuple[Any, Any]:
    def value(z: Any) -> Any:
        e = real(math.exp(-abs(z)))  # of a negative number it cannot overflow
        return real(1.0) / (real(1.0) + e) if z >= real(0.0) else e / (real(1.0) + e)

    def slope(_z: Any, a: Any) -> Any:
        return a * (real(1.0) - a)

    return value, slope


def _tanh(real: Real) -> tuple[Any, Any]:
    def value(z: Any) -> Any:
        return real(math.tanh(z))

    def slope(_z: Any, a: Any) -> Any:
        return real(1.0) - a * a

    return value, slope


def _relu(real: Real) -> tuple[Any, Any]:
    def value(z: Any) -> Any:
        return real(0.0) if z <= real(0.0) else z  # noqa: FURB136  max would turn NaN into 0

    def slope(_z: Any, a: Any) -> Any:
        return real(1.0) if a > real(0.0) else real(0.0)  # the output is above 0 where z is

    return value, slope


SHIPPED = {"linear": _linear, "sigmoid": _sigmoid, "tanh": _tanh, "relu": _relu}
"""The contract's activations in the network's own dtype, so that a float32 kernel computes in float32 alone."""


def needs_slope(network: Network) -> bool:
    """Return whether the last delta is the loss's error times the activation's slope, and not the error alone."""
    last = network.layers[-1].activation
    return last != "linear" and not (network.loss == "bce" and last == "sigmoid")


def error(network: Network, real: Real) -> Any:
    """Return ``error(outputs, neuron, y)``: minus the gradient of one example's loss by one output, whose target is y.

    Where ``needs_slope`` says no, it is minus the gradient by ``z`` already, in the closed form of the contract.
    ``outputs`` are the activations of the last layer for that example.
    """
    if network.loss == "bce" and needs_slope(network):
        return _chain_rule_error(real)
    return {"mse": _squared_error, "bce": _plain_error, "ce": _softmax_error}[network.loss](real)


@functools.cache
def _squared_error(real: Real) -> Any:
    @inner
    def squared_error(outputs: DeviceArray, neuron: int, y: Any) -> Any:
        return real(2.0) * (y - outputs[neuron])

    return squared_error


@functools.cache
def _plain_error(_real: Real) -> Any:
    @inner
    def plain_error(outputs: DeviceArray, neuron: int, y: Any) -> Any:
        return y - outputs[neuron]

    return plain_error


@functools.cache
def _chain_rule_error(real: Real) -> Any:
    @inner
    def chain_rule_error(outputs: DeviceArray, neuron: int, y: Any) -> Any:
        a = outputs[neuron]
        if a <= real(0.0) or a >= real(1.0):  # NaN is neither, and stays NaN
            return real(0.0)
        return (y - a) / (a * (real(1.0) - a))

    return chain_rule_error


@functools.cache
def _softmax_error(real: Real) -> Any:
    @inner
    def softmax_error(outputs: DeviceArray, neuron: int, y: Any) -> Any:
        top = outputs[0]
        for k in range(1, outputs.shape[0]):
            top = max(top, outputs[k])
        total = real(0.0)
        for k in range(outputs.shape[0]):
            total += real(math.exp(outputs[k] - top))
        return y - real(math.exp(outputs[neuron] - top)) / total

    return softmax_error
