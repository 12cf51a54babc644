"""Activations and deltas of one neuron, for kernels: the contract's are compiled in, registered ones called by address.

Because of the address, kernels are the same for every network, so they are compiled once and then read from disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import errors, types

from harness import Activation, Array, Network, Unsupported, activation
from harness_numba.jit import inlined, intrinsic

LINEAR, SIGMOID, TANH, RELU, REGISTERED = range(5)
KINDS = {"linear": LINEAR, "sigmoid": SIGMOID, "tanh": TANH, "relu": RELU}
MSE, BCE, CE = range(3)
LOSSES = {"mse": MSE, "bce": BCE, "ce": CE}


@dataclass(frozen=True)
class Pointwise:
    """One layer's activation for kernels: its kind and, for a registered one, the addresses of two C functions."""

    kind: int
    value: int = 0
    slope: int = 0
    keep: tuple[Any, ...] = field(default=(), repr=False)
    """The compiled functions; the addresses are valid as long as these exist."""


def of_network(network: Network) -> list[Pointwise]:
    """Return every layer's activation; raise ``Unsupported`` if one has no scalar form that Numba can compile."""
    return [_pointwise(activation(layer.activation)) for layer in network.layers]


def _pointwise(wanted: Activation) -> Pointwise:
    if wanted.name in KINDS:
        return Pointwise(KINDS[wanted.name])
    if wanted.scalar_value is None or wanted.scalar_slope is None:
        raise Unsupported(f"activation {wanted.name!r} has no scalar_value and scalar_slope, which these kernels call")
    value = _c_function(wanted.name, wanted.scalar_value, "float64(float64)")
    slope = _c_function(wanted.name, wanted.scalar_slope, "float64(float64, float64)")
    return Pointwise(REGISTERED, value.address, slope.address, (value, slope))


def _c_function(name: str, function: Callable[..., float], signature: str) -> Any:
    try:
        return numba.cfunc(signature)(function)
    except errors.NumbaError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise Unsupported(f"activation {name!r}: Numba cannot compile {function.__name__}: {reason}") from error


@intrinsic
def _intrinsic_call(_context: Any, _address: Any, arguments: Any) -> Any:
    """Call the C function at ``address`` with a tuple of float64; returns a float64."""
    signature = types.float64(types.int64, arguments)

    def generate(_target: Any, builder: Any, signature: Any, values: Any) -> Any:
        double = ir.DoubleType()
        count = signature.args[1].count
        function = ir.FunctionType(double, [double] * count)
        pointer = builder.inttoptr(values[0], function.as_pointer())
        return builder.call(pointer, [builder.extract_value(values[1], index) for index in range(count)])

    return signature, generate


_call: Callable[..., float] = (
    _intrinsic_call  # Numba passes the first argument itself, which a type checker cannot know
)


@inlined
def value(kind: int, address: int, z: float) -> float:
    """Return ``a = f(z)`` in float64."""
    z = np.float64(z)
    if kind == SIGMOID:
        e = math.exp(-abs(z))
        return 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
    if kind == TANH:
        return math.tanh(z)
    if kind == RELU:
        return 0.0 if z <= 0.0 else z  # noqa: FURB136  max would turn NaN into 0
    if kind == REGISTERED:
        return _call(address, (z,))
    return z


@inlined
def slope(kind: int, address: int, z: float, a: float) -> float:
    """Return ``f'(z)``, given ``a = f(z)``; the slope of relu at 0 is 0."""
    z, a = np.float64(z), np.float64(a)
    if kind == SIGMOID:
        return a * (1.0 - a)
    if kind == TANH:
        return 1.0 - a * a
    if kind == RELU:
        return 1.0 if z > 0.0 else 0.0
    if kind == REGISTERED:
        return _call(address, (z, a))
    return 1.0


@inlined
def output_delta(loss: int, kind: int, address: int, z: Array, a: Array, y: Array, rows: int, delta: Array) -> None:  # noqa: PLR0913, PLR0917  all of one example
    """Write the delta of the last layer for one example of ``rows``: the gradient of the mean loss by ``z``."""
    if loss == CE:
        _softmax(a, delta)
    for k in range(len(y)):
        error = np.float64(a[k]) - y[k]
        if loss == CE:
            delta[k] = (delta[k] - y[k]) / rows
        elif loss == BCE and kind == SIGMOID:
            delta[k] = error / rows
        elif loss == BCE:
            spread = np.float64(a[k]) * (1.0 - a[k])
            outside = a[k] <= 0 or a[k] >= 1  # NaN is neither, and stays NaN
            delta[k] = 0.0 if outside else error * slope(kind, address, z[k], a[k]) / spread / rows
        else:
            delta[k] = 2.0 * error * slope(kind, address, z[k], a[k]) / rows


@inlined
def _softmax(a: Array, out: Array) -> None:
    """Compute the softmax of ``a``, shifted by its maximum so that nothing overflows."""
    top = np.float64(a[0])
    for k in range(1, len(a)):
        top = max(top, np.float64(a[k]))
    total = 0.0
    for k in range(len(a)):
        total += math.exp(a[k] - top)
    for k in range(len(a)):
        out[k] = math.exp(a[k] - top) / total
