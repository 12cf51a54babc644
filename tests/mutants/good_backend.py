"""A right backend, small and plain, in pieces that a mutant can replace one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import Array, Backend, Network, Parameters, Unsupported, activation


class Good(Backend):
    """The whole minibatch in NumPy; examples divided among ``workers`` parts, one after the other."""

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self.weights = [weights.copy() for weights, _ in parameters]
        self.biases = [bias.copy() for _, bias in parameters]
        self.functions = [activation(layer.activation) for layer in network.layers]
        if network.loss == "bce" and network.layers[-1].activation != "sigmoid":
            raise Unsupported("bce without a sigmoid")

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        self.x, self.y = x, y

    def parameters(self) -> Parameters:
        return [(w.copy(), b.copy()) for w, b in zip(self.weights, self.biases, strict=True)]

    def outputs(self) -> Array:
        return self.a[-1].copy()

    def gradients(self) -> Parameters:
        return [(dw.copy(), db.copy()) for dw, db in self.dparameters]

    def close(self) -> None:
        self.x = self.y = np.empty((0, 0))

    def forward(self, rows: slice) -> None:
        self.a, self.z = [self.x[rows]], []
        for index in range(len(self.weights)):
            self.z.append(self.a[-1] @ self.weights[index] + self.biases[index])
            self.a.append(self.value(index, self.z[-1]))

    def backprop(self, rows: slice) -> None:
        delta = self.output_delta(self.y[rows])
        self.dparameters: list[tuple[Array, Array]] = []
        for index in reversed(range(len(self.weights))):
            self.dparameters.insert(0, (self.weight_gradient(index, delta), self.bias_gradient(index, delta)))
            if index:
                delta = self.below(index, delta) * self.slope(index - 1)

    def step(self, rate: float) -> None:
        for index, (dw, db) in enumerate(self.dparameters):
            self.weights[index] -= rate * dw
            self.biases[index] -= rate * db

    def value(self, index: int, z: Array) -> Array:
        return np.asarray(self.functions[index].value(np, z))

    def slope(self, index: int) -> Array:
        return np.asarray(self.functions[index].slope(np, self.z[index], self.a[index + 1]))

    def below(self, index: int, delta: Array) -> Array:
        return np.asarray(delta @ self.weights[index].T)

    def weight_gradient(self, index: int, delta: Array) -> Array:
        parts = np.array_split(np.arange(len(delta)), min(self.workers, len(delta)))
        return np.asarray(sum(self.a[index][part].T @ delta[part] for part in parts))

    def bias_gradient(self, index: int, delta: Array) -> Array:  # noqa: ARG002  a mutant wants to know the layer
        return np.asarray(delta.sum(axis=0))

    def output_delta(self, y: Array) -> Array:
        a = self.a[-1]
        if self.network.loss == "ce":
            return np.asarray((self.softmax(a) - y) / len(a))
        if self.network.loss == "bce":
            return np.asarray((a - y) / len(a))
        return np.asarray(2 * (a - y) * self.slope(len(self.weights) - 1) / len(a))

    def softmax(self, z: Array) -> Array:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))


class Ticklish(Good):
    """Right too, at the edge of what is allowed: one example at a time, and a tanh that is right to a few units."""

    def weight_gradient(self, index: int, delta: Array) -> Array:
        total: Any = np.zeros(self.weights[index].shape, delta.dtype)
        for row in range(len(delta)):
            total += np.outer(self.a[index][row], delta[row])
        return np.asarray(total)

    def value(self, index: int, z: Array) -> Array:
        a = super().value(index, z)
        if self.network.layers[index].activation not in ("tanh", "sigmoid"):
            return a
        wobble = np.cos(1e3 * z) * 3 * np.finfo(a.dtype).eps
        return np.asarray(a * (1 + wobble.astype(a.dtype)))
