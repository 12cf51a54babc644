"""The activation swish, ``z * sigmoid(z)``: in an array form for libraries, in a scalar form for compiled loops."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from harness import Activation, hookimpl

LOWEST = -0.2784645427610738
"""The minimum of swish, where ``1 + z = -exp(z)``."""


@hookimpl
def harness_activations() -> Iterator[Activation]:
    """Yield swish."""
    yield Activation("swish", _value, _slope, (LOWEST, math.inf), _scalar_value, _scalar_slope)


def _value(xp: Any, z: Any) -> Any:
    return z * _sigmoid(xp, z)


def _slope(xp: Any, z: Any, a: Any) -> Any:
    s = _sigmoid(xp, z)
    return s + a * (1 - s)


def _sigmoid(xp: Any, z: Any) -> Any:
    """Exp of -|z| cannot overflow."""
    e = xp.exp(-xp.abs(z))
    return xp.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _scalar_value(z: float) -> float:
    e = math.exp(-abs(z))
    return z / (1.0 + e) if z >= 0.0 else z * e / (1.0 + e)


def _scalar_slope(z: float, a: float) -> float:
    e = math.exp(-abs(z))
    s = 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
    return s + a * (1.0 - s)
