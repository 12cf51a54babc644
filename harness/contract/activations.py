"""Activations: the class that a plugin fills in, and the four that the core ships through the same hook."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.errors import PluginError

Elementwise = Callable[[Any, Any], Any]
"""``(xp, z) -> a``: ``xp`` is an array-API namespace (NumPy, PyTorch, jax.numpy), ``z`` one of its arrays."""

Slope = Callable[[Any, Any, Any], Any]
"""``(xp, z, a) -> da/dz``; ``a`` is what ``value`` gave for ``z``, so that it need not be computed again."""


@dataclass(frozen=True)
class Activation:
    """A pointwise function and its slope, in an array form and, where it has one, a scalar form.

    ``value`` and ``slope`` return a new array and never write to their arguments. The scalar pair uses ``math``
    only, so that pure Python, Numba and CUDA kernels can compile it. ``range`` is the open interval of values.
    NaN stays NaN in ``value``: a diverged net must not look healthy.
    """

    name: str
    value: Elementwise
    slope: Slope
    range: tuple[float, float]
    scalar_value: Callable[[float], float] | None = None
    scalar_slope: Callable[[float, float], float] | None = None

    def __post_init__(self) -> None:
        low, high = _interval(self.name, self.range)
        object.__setattr__(self, "range", (low, high))
        for label in ("value", "slope", "scalar_value", "scalar_slope"):
            form = getattr(self, label)
            if not (callable(form) or (form is None and label.startswith("scalar"))):
                raise PluginError(f"activation {self.name!r}: {label}={form!r:.60} should be a function")
        if (self.scalar_value is None) != (self.scalar_slope is None):
            raise PluginError(f"activation {self.name!r}: give both scalar_value and scalar_slope, or neither")


def _interval(name: str, limits: object) -> tuple[float, float]:
    match limits:
        case (int() | float() as low, int() | float() as high) if low < high:
            return float(low), float(high)
        case _:
            raise PluginError(f"activation {name!r}: range={limits!r:.60} should be (low, high), low below high")


def shipped() -> Iterator[Activation]:
    """Yield the activations of the contract."""
    everything = (-math.inf, math.inf)
    yield Activation("linear", _linear, _linear_slope, everything, _scalar_linear, _scalar_linear_slope)
    yield Activation("sigmoid", _sigmoid, _sigmoid_slope, (0.0, 1.0), _scalar_sigmoid, _scalar_sigmoid_slope)
    yield Activation("tanh", _tanh, _tanh_slope, (-1.0, 1.0), _scalar_tanh, _scalar_tanh_slope)
    yield Activation("relu", _relu, _relu_slope, (0.0, math.inf), _scalar_relu, _scalar_relu_slope)


def _linear(_xp: Any, z: Any) -> Any:
    return z + 0


def _linear_slope(xp: Any, z: Any, _a: Any) -> Any:
    return xp.ones_like(z)


def _sigmoid(xp: Any, z: Any) -> Any:
    """Exp of -|z| cannot overflow, and both branches keep their relative accuracy in the tails."""
    e = xp.exp(-xp.abs(z))
    return xp.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _sigmoid_slope(_xp: Any, _z: Any, a: Any) -> Any:
    return a * (1 - a)


def _tanh(xp: Any, z: Any) -> Any:
    return xp.tanh(z)


def _tanh_slope(_xp: Any, _z: Any, a: Any) -> Any:
    return 1 - a * a


def _relu(xp: Any, z: Any) -> Any:
    return xp.where(z <= 0, xp.zeros_like(z), z)


def _relu_slope(xp: Any, z: Any, _a: Any) -> Any:
    """The slope at 0 is 0."""
    return xp.where(z > 0, xp.ones_like(z), xp.zeros_like(z))


def _scalar_linear(z: float) -> float:
    return z


def _scalar_linear_slope(_z: float, _a: float) -> float:
    return 1.0


def _scalar_sigmoid(z: float) -> float:
    e = math.exp(-abs(z))
    return 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)


def _scalar_sigmoid_slope(_z: float, a: float) -> float:
    return a * (1.0 - a)


def _scalar_tanh(z: float) -> float:
    return math.tanh(z)


def _scalar_tanh_slope(_z: float, a: float) -> float:
    return 1.0 - a * a


def _scalar_relu(z: float) -> float:
    return 0.0 if z <= 0.0 else z  # noqa: FURB136  max would turn NaN into 0


def _scalar_relu_slope(z: float, _a: float) -> float:
    return 1.0 if z > 0.0 else 0.0
