"""Backpropagation written again, one number at a time in pure Python: it shares no line with the reference.

It works through the net as a graph of scalars, each of which knows what it was made from and the partial derivative by
each of those; the gradient is the chain rule over that graph. Only tanh, exp, log and arithmetic are known to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from harness import Network

Matrix = list[list[float]]
Pairs = list[tuple[Matrix, list[float]]]


class Scalar:
    """A number with its history."""

    def __init__(self, value: float, made_from: tuple[tuple[Scalar, float], ...] = ()) -> None:
        self.value = value
        self.made_from = made_from
        self.gradient = 0.0

    def __add__(self, other: Scalar) -> Scalar:
        return Scalar(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Scalar) -> Scalar:
        return Scalar(self.value * other.value, ((self, other.value), (other, self.value)))

    def __neg__(self) -> Scalar:
        return Scalar(-self.value, ((self, -1.0),))

    def apply(self, function: Callable[[float], float], slope: Callable[[float], float]) -> Scalar:
        return Scalar(function(self.value), ((self, slope(self.value)),))

    def exp(self) -> Scalar:
        return self.apply(math.exp, math.exp)

    def log(self) -> Scalar:
        return self.apply(math.log, lambda v: 1 / v)

    def spread(self) -> None:
        """Give every number in the history its gradient, from the last to the first."""
        order: list[Scalar] = []
        seen: set[int] = set()
        stack: list[tuple[Scalar, bool]] = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent, _ in node.made_from)
        self.gradient = 1.0
        for node in reversed(order):
            for parent, partial in node.made_from:
                parent.gradient += node.gradient * partial


ACTIVATIONS: dict[str, Callable[[Scalar], Scalar]] = {
    "linear": lambda z: z,
    "tanh": lambda z: z.apply(math.tanh, lambda v: 1 / math.cosh(v) ** 2),
    "relu": lambda z: z.apply(lambda v: v if v > 0 else 0.0, lambda v: 1.0 if v > 0 else 0.0),
    "sigmoid": lambda z: ((-z).exp() + Scalar(1.0)).apply(lambda v: 1 / v, lambda v: -1 / v**2),
}


def _total(terms: list[Scalar]) -> Scalar:
    total = Scalar(0.0)
    for term in terms:
        total = total + term
    return total


def _mse(a: list[Scalar], y: list[float]) -> Scalar:
    apart = [p + Scalar(-t) for p, t in zip(a, y, strict=True)]
    return _total([d * d for d in apart])


def _bce(a: list[Scalar], y: list[float]) -> Scalar:
    terms = [Scalar(t) * p.log() + Scalar(1 - t) * (Scalar(1.0) + -p).log() for p, t in zip(a, y, strict=True)]
    return -_total(terms)


def _ce(a: list[Scalar], y: list[float]) -> Scalar:
    whole = _total([p.exp() for p in a]).log()
    return -_total([Scalar(t) * (p + -whole) for p, t in zip(a, y, strict=True)])


LOSSES = {"mse": _mse, "bce": _bce, "ce": _ce}


def gradients(network: Network, parameters: Pairs, x: Matrix, y: Matrix) -> tuple[float, Pairs]:
    """Return the mean loss over the rows and its gradient by every weight and bias."""
    leaves = [
        ([[Scalar(w) for w in row] for row in weights], [Scalar(b) for b in bias]) for weights, bias in parameters
    ]
    losses = []
    for row, target in zip(x, y, strict=True):
        a = [Scalar(v) for v in row]
        for layer, (weights, bias) in zip(network.layers, leaves, strict=True):
            sums = [_total([a[i] * weights[i][j] for i in range(layer.inputs)]) + bias[j] for j in range(layer.outputs)]
            a = [ACTIVATIONS[layer.activation](z) for z in sums]
        losses.append(LOSSES[network.loss](a, target))
    mean = _total(losses) * Scalar(1 / len(losses))
    mean.spread()
    found = [([[w.gradient for w in row] for row in weights], [b.gradient for b in bias]) for weights, bias in leaves]
    return mean.value, found
