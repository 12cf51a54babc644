"""What backends are checked on: small networks and sets, the same on every machine, and how many of them.

``Case`` says what a check needs, ``Exercise`` is the network, start weights and set made from it. The level ``quick``
takes combinations that hold every pair of values, ``full`` takes all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from harness.contract.arrays import Array, Parameters
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.contract.registry import registry

SHIPPED = ("sigmoid", "tanh", "relu", "linear")
"""The activations of the contract itself."""


class Exercise(NamedTuple):
    """A network, its start weights, and the set to train on."""

    network: Network
    start: Parameters
    x: Array
    y: Array

    @property
    def rows(self) -> slice:
        """All rows of the set."""
        return slice(0, len(self.x))


@dataclass(frozen=True)
class Case:
    """The properties of an exercise; ``str`` gives the case's name in a check."""

    sizes: tuple[int, ...] = (5, 7, 4)
    hidden: str = "tanh"
    output: str = "sigmoid"
    loss: str = "mse"
    dtype: str = "float64"
    rows: int = 9

    def __str__(self) -> str:
        """Return a name that needs no quotes in a shell or after ``-k``."""
        return f"{self.hidden}-{self.output}-{self.loss}-{self.dtype}-{Sizes(self.sizes, self.rows)}"

    def exercise(self, *, seed: int = 0, spread: float = 1.0) -> Exercise:
        """Return the exercise: normal inputs times ``spread``, Glorot weights, and biases that are not zero."""
        names = [*[self.hidden] * (len(self.sizes) - 2), self.output]
        network = Network.dense(self.sizes, activation=names, loss=self.loss, dtype=self.dtype)
        random = np.random.default_rng([seed, *self.sizes])
        pairs = initial_parameters(network, seed)
        start = [(weights, random.uniform(-0.5, 0.5, bias.shape).astype(self.dtype)) for weights, bias in pairs]
        x = (spread * random.standard_normal((self.rows, network.inputs))).astype(self.dtype)
        return Exercise(network, start, x, _targets(self.loss, random, (self.rows, network.outputs)).astype(self.dtype))


def _targets(loss: str, random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Return targets in (0, 1); for ``bce`` some are 0 or 1; for ``ce`` each row is a distribution or one-hot."""
    soft = random.uniform(0.05, 0.95, shape)
    if loss == "mse":
        return np.asarray(soft)
    if loss == "bce":
        return np.where(random.random(shape) < 0.5, np.round(soft), soft)
    one_hot = np.eye(shape[1])[random.integers(shape[1], size=shape[0])]
    hard = random.random((shape[0], 1)) < 0.5
    return np.where(hard, one_hot, soft / soft.sum(axis=1, keepdims=True))


def activations() -> list[str]:
    """Return the names of all activations: the contract's own and those of plugins."""
    return [*SHIPPED, *(name for name in registry().activations if name not in SHIPPED)]


def endings() -> list[tuple[str, str]]:
    """Return every last activation with every loss that the contract allows after it."""
    pairs = [(name, "mse") for name in activations()]
    pairs += [(name, "bce") for name in activations() if tuple(registry().activations[name].range) == (0.0, 1.0)]
    return [*pairs, ("linear", "ce")]


class Sizes(NamedTuple):
    """Sizes of the layers, inputs first, and rows of the set."""

    sizes: tuple[int, ...]
    rows: int

    def __str__(self) -> str:
        """Return the sizes as a part of a check's name."""
        return f"{'x'.join(map(str, self.sizes))}-rows{self.rows}"


SHAPES = (
    Sizes((5, 7, 4), 9),
    Sizes((1, 1, 1), 2),
    Sizes((3, 17, 2), 1),
    Sizes((17, 257, 1), 5),
    Sizes((4, 6, 5, 3), 33),
)
"""An ordinary size, then single neurons and rows, odd numbers, a wide layer and a deeper network."""


def crossed(*axes: Sequence[Any]) -> list[Any]:
    """Return parameters for pytest, one for each combination of values.

    Those that ``pairwise`` does not choose have the mark ``full``, so that the level ``quick`` leaves them out.
    """
    quick = set(pairwise(axes))
    return [
        pytest.param(*row, id="-".join(map(_word, row)), marks=() if row in quick else pytest.mark.full)
        for row in itertools.product(*axes)
    ]


def _word(value: Any) -> str:
    """Return a value as a word that needs no quotes in a shell or after ``-k``."""
    return "-".join(map(_word, value)) if type(value) is tuple else str(value)


def pairwise(axes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Return few rows with one value of each axis, so that any two values of different axes meet in some row.

    It takes the row with the most pairs that are not in a row yet, again and again. Of equal rows the first one is
    taken, so the answer is always the same.
    """
    rows = list(itertools.product(*(range(len(axis)) for axis in axes)))
    wanted = {pair for row in rows for pair in _pairs(row)}
    chosen: list[tuple[int, ...]] = []
    while wanted:
        best = max(rows, key=lambda row: len(wanted.intersection(_pairs(row))))
        wanted.difference_update(_pairs(best))
        chosen.append(best)
    return [tuple(axis[index] for axis, index in zip(axes, row, strict=True)) for row in chosen]


def _pairs(row: tuple[int, ...]) -> list[tuple[tuple[int, int], ...]]:
    return list(itertools.combinations(enumerate(row), 2))
