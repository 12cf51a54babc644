"""Arrays with a bound beside them, and what a product and a pointwise function make of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.contract.activations import Activation
from harness.contract.arrays import Array
from harness.contract.tolerance.units import Units


class Approximate(NamedTuple):
    """A float64 ``value`` and how far a right backend's own may be from it, element by element."""

    value: Array
    error: Array


def exact(value: Array) -> Approximate:
    """Return a value that every backend has alike: the inputs, the targets and the weights it was given."""
    value = np.asarray(value, dtype=np.float64)
    return Approximate(value, np.zeros_like(value))


def product(left: Approximate, right: Approximate, unit: Units) -> Approximate:
    """Return ``left @ right``: its own roundings, and what it makes of the errors that came in."""
    terms = left.value.shape[1]
    error = unit.product(terms) * (np.abs(left.value) @ np.abs(right.value)) + terms * unit.tiny
    if left.error.any():
        error += _spread(left.error, right.value)
    if right.error.any():
        error += _spread(left.value, right.error) + left.error @ right.error
    return Approximate(left.value @ right.value, error)


def _spread(left: Array, right: Array) -> Array:
    """Return what a sum makes of errors that are independent, and of errors that all have one sign.

    Bounding by absolute values alone would grow with the width at every layer and soon allow anything.
    """
    independent: Array = np.sqrt(np.square(left) @ np.square(right))
    return np.asarray(np.maximum(independent, np.abs(left @ right)))


def times(left: Approximate, right: Approximate, unit: Units) -> Approximate:
    """Return the elementwise product."""
    value = left.value * right.value
    error = left.error * np.abs(right.value) + np.abs(left.value) * right.error + left.error * right.error
    return Approximate(value, error + unit.pointwise * np.abs(value) + unit.tiny)


def activated(activation: Activation, z: Approximate, unit: Units) -> Approximate:
    """Return ``f(z)``: its sensitivity is read off at ``z`` plus and minus the error, which sees kinks."""
    a = _value(activation, z.value)
    moved = [np.abs(_value(activation, z.value + shift) - a) for shift in (z.error, -z.error)]
    return Approximate(a, np.maximum(*moved) + _pointwise(activation, z.value, a, unit))


def _value(activation: Activation, z: Array) -> Array:
    return np.asarray(activation.value(np, z), dtype=np.float64)


def _pointwise(activation: Activation, z: Array, a: Array, unit: Units) -> Array:
    """Return what evaluating ``f`` may cost: nothing where it hands on 0 or ``z``, else absolute, not relative.

    A sigmoid that is right to a few units of 1 is right: its tail need not be right to a few units of itself.
    """
    if np.isinf(activation.range[1]) and bool(np.all((a == 0) | (a == z))):
        return np.zeros_like(a)
    return np.asarray(unit.pointwise * np.maximum(1.0, np.maximum(np.abs(a), np.abs(z) * (np.abs(a) > 1))))


def sloped(activation: Activation, z: Approximate, unit: Units) -> Approximate:
    """Return ``f'(z)``; within the error of a kink, such as relu's at 0, either side is right.

    A slope is often computed from ``a``, whose own error it doubles where it is ``1 - a * a``.
    """
    s = _slope(activation, z.value)
    moved = [np.abs(_slope(activation, z.value + shift) - s) for shift in (z.error, -z.error)]
    straight = np.isinf(activation.range[1]) and bool(np.all((s == 0) | (s == 1)))
    rounding = 0.0 if straight else 3 * unit.pointwise * np.maximum(1.0, np.abs(s))
    return Approximate(s, np.maximum(*moved) + rounding)


def _slope(activation: Activation, z: Array) -> Array:
    return np.asarray(activation.slope(np, z, _value(activation, z)), dtype=np.float64)
