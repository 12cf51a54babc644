"""A training run: the reference's weights after many steps, and what a right backend's may differ by.

A bound carried through many steps by absolute values alone grows without limit, since it never sees an error shrink.
So the bound of each single step is *applied* instead: two shadow copies of the weights train beside the reference on
the same batches, and at every step their gradients are moved by as much as ``one_batch`` allows: one of them with new
signs every time (errors that are independent), one always with the same (an error that is systematic). The first one's
weights are rounded at random, the second one's to the network's dtype, where a step smaller than half a unit is lost
again and again. What the dynamics of this very run make of all that is what is allowed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from harness.contract import reference
from harness.contract.arrays import Array, Parameters, copied
from harness.contract.batching import batches
from harness.contract.network import Network
from harness.contract.tolerance.bounds import one_batch
from harness.contract.tolerance.units import SAFETY, units

AMPLE = 3.0
"""Two shadows stand for all possible roundings; others may lie a little further out."""


class Trained(NamedTuple):
    """Float64 weights after a run, and the same shapes again with what is allowed."""

    parameters: Parameters
    allowed: Parameters

    @property
    def looseness(self) -> float:
        """What is allowed relative to the weights, in the loosest array; near 1 a comparison says nothing.

        Runs that amplify every rounding (relu at a large rate and batch 1) get there; compare a shorter one.
        """
        pairs = zip(self.parameters, self.allowed, strict=True)
        return max(
            float(np.median(allowed) / max(np.abs(value).max(), np.finfo(np.float64).tiny))
            for values, alloweds in pairs
            for value, allowed in zip(values, alloweds, strict=True)
        )


def epochs(rows: int, batch_size: int, rate: float, count: int = 1) -> Iterator[tuple[slice, float]]:
    """Yield the schedule of ``count`` epochs: every batch with the rate of its step."""
    for _ in range(count):
        yield from ((batch, rate) for batch in batches(rows, batch_size))


def after_training(
    network: Network,
    start: Parameters,
    x: Array,
    y: Array,
    schedule: Iterable[tuple[slice, float]],
    precision: str = "ieee",
) -> Trained:
    """Return the weights that training from ``start`` must end in; costs about six times the reference alone."""
    weights = copied(start, "float64")
    shadows = [_Independent(copied(weights)), _Systematic(copied(weights))]
    stored = SAFETY * units(network.dtype).stored
    with np.errstate(all="ignore"):  # a run may diverge; then no number is right
        for rows, rate in schedule:
            batch = one_batch(network, weights, x[rows], y[rows], precision)
            for shadow in shadows:
                shadow.step(network, x[rows], y[rows], rate, batch.allowed_gradients, stored)
            weights = reference.step(weights, batch.gradients, rate)
    return Trained(weights, _allowed(weights, [shadow.weights for shadow in shadows], stored))


class _Shadow(ABC):
    """Weights that train with errors; its signs come from a fixed seed, so that a verdict can be repeated."""

    def __init__(self, weights: Parameters) -> None:
        self.weights = weights
        self.random = np.random.default_rng(20240229)

    def signs(self) -> Parameters:
        """Return a sign for every weight and bias."""
        return [(self._draw(weights), self._draw(bias)) for weights, bias in self.weights]

    def _draw(self, array: Array) -> Array:
        return self.random.choice((-1.0, 1.0), array.shape)

    def step(self, network: Network, x: Array, y: Array, rate: float, errors: Parameters, stored: float) -> None:
        """Take one step with the gradients at these weights, moved by ``errors``."""
        passed = reference.forward(network, self.weights, x)
        gradients = reference.backprop(network, self.weights, passed, y)
        moved = [
            (dw + sw * ew, db + sb * eb)
            for (dw, db), (sw, sb), (ew, eb) in zip(gradients, self.errors_signs(), errors, strict=True)
        ]
        self.weights = self.rounded(reference.step(self.weights, moved, rate), network.dtype, stored)

    @abstractmethod
    def errors_signs(self) -> Parameters:
        """Return the signs with which this step's errors act."""

    @abstractmethod
    def rounded(self, weights: Parameters, dtype: str, stored: float) -> Parameters:
        """Return the weights as they are stored."""


class _Independent(_Shadow):
    def errors_signs(self) -> Parameters:
        return self.signs()

    def rounded(self, weights: Parameters, dtype: str, stored: float) -> Parameters:  # noqa: ARG002  the base's
        signs = self.signs()
        return [(w + sw * stored * w, b + sb * stored * b) for (w, b), (sw, sb) in zip(weights, signs, strict=True)]


class _Systematic(_Shadow):
    def __init__(self, weights: Parameters) -> None:
        super().__init__(weights)
        self._fixed = self.signs()

    def errors_signs(self) -> Parameters:
        return self._fixed

    def rounded(self, weights: Parameters, dtype: str, stored: float) -> Parameters:  # noqa: ARG002  the base's
        return copied(copied(weights, dtype), "float64")


def _allowed(weights: Parameters, shadows: list[Parameters], stored: float) -> Parameters:
    return [
        (_spread(w, [shadow[index][0] for shadow in shadows], stored),
         _spread(b, [shadow[index][1] for shadow in shadows], stored))
        for index, (w, b) in enumerate(weights)
    ]  # fmt: skip


def _spread(weights: Array, shadows: list[Array], stored: float) -> Array:
    """Return the shadows' distance, element by element and at the median: one element's signs may cancel by chance."""
    distances = np.abs(np.stack(shadows) - weights)
    typical = np.median(distances)
    return np.asarray(AMPLE * (distances.max(axis=0) + typical) + stored * np.abs(weights))
