"""The problems that backends are checked on: small nets and sets, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.contract.arrays import Array, Parameters
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.contract.registry import registry

SHIPPED = ("sigmoid", "tanh", "relu", "linear")


class Problem(NamedTuple):
    """A network, its start weights, and a set."""

    network: Network
    start: Parameters
    x: Array
    y: Array

    @property
    def rows(self) -> slice:
        """All rows."""
        return slice(0, len(self.x))


@dataclass(frozen=True)
class Case:
    """A problem by its properties; ``str`` is the case's name in a check."""

    sizes: tuple[int, ...] = (5, 7, 4)
    hidden: str = "tanh"
    output: str = "sigmoid"
    loss: str = "mse"
    dtype: str = "float64"
    rows: int = 9

    def __str__(self) -> str:
        """Return a name that a shell and ``-k`` take as it is."""
        return f"{self.hidden}-{self.output}-{self.loss}-{self.dtype}-{Sizes(self.sizes, self.rows)}"

    def problem(self, *, seed: int = 0, spread: float = 1.0) -> Problem:
        """Return the problem: normal inputs times ``spread``, Glorot weights, biases that are not zero."""
        names = [*[self.hidden] * (len(self.sizes) - 2), self.output]
        network = Network.dense(self.sizes, activation=names, loss=self.loss, dtype=self.dtype)
        random = np.random.default_rng([seed, *self.sizes])
        pairs = initial_parameters(network, seed)
        start = [(weights, random.uniform(-0.5, 0.5, bias.shape).astype(self.dtype)) for weights, bias in pairs]
        x = (spread * random.standard_normal((self.rows, network.inputs))).astype(self.dtype)
        return Problem(network, start, x, _targets(self.loss, random, (self.rows, network.outputs)).astype(self.dtype))


def _targets(loss: str, random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Return targets: anything in (0, 1); for ``bce`` hard ones too; for ``ce`` distributions, soft and one-hot."""
    soft = random.uniform(0.05, 0.95, shape)
    if loss == "mse":
        return np.asarray(soft)
    if loss == "bce":
        return np.where(random.random(shape) < 0.5, np.round(soft), soft)
    one_hot = np.eye(shape[1])[random.integers(shape[1], size=shape[0])]
    hard = random.random((shape[0], 1)) < 0.5
    return np.where(hard, one_hot, soft / soft.sum(axis=1, keepdims=True))


def activations() -> list[str]:
    """Return every activation: the contract's own and those that plugins register."""
    return [*SHIPPED, *(name for name in registry().activations if name not in SHIPPED)]


def endings() -> list[tuple[str, str]]:
    """Return every last activation with every loss that the contract allows after it."""
    found = [(name, "mse") for name in activations()]
    found += [(name, "bce") for name in activations() if tuple(registry().activations[name].range) == (0.0, 1.0)]
    return [*found, ("linear", "ce")]


class Sizes(NamedTuple):
    """Sizes of the layers, inputs first, and rows of the set."""

    sizes: tuple[int, ...]
    rows: int

    def __str__(self) -> str:
        """Return it as a part of a check's name."""
        return f"{'x'.join(map(str, self.sizes))}-rows{self.rows}"


SHAPES = (
    Sizes((5, 7, 4), 9),
    Sizes((1, 1, 1), 2),
    Sizes((3, 17, 2), 1),
    Sizes((17, 257, 1), 5),
    Sizes((4, 6, 5, 3), 33),
)
"""One row, one neuron, odd and large ones."""
