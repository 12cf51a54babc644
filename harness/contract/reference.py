"""The reference: float64 NumPy, the definition of what every backend must compute.

It reads as the papers do: forward propagation, backpropagation, the update. Slow and obvious on purpose.
Every function takes and returns float64 and writes to none of its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.contract.arrays import Array, Parameters, copied
from harness.contract.batching import batches
from harness.contract.losses import output_delta
from harness.contract.network import Network
from harness.contract.registry import activation


@dataclass(frozen=True)
class Activations:
    """What a forward pass leaves behind, a layer at a time: ``z[l]`` and ``a[l]``, with ``a[0]`` the input."""

    z: list[Array]
    a: list[Array]

    @property
    def outputs(self) -> Array:
        """The activations of the last layer, shape ``(rows, outputs)``."""
        return self.a[-1]


def forward(network: Network, parameters: Parameters, x: Array) -> Activations:
    """Forward propagation: ``z = a @ W + b`` and ``a = f(z)``, layer by layer."""
    zs: list[Array] = []
    activations = [x.astype(np.float64)]
    for layer, (weights, bias) in zip(network.layers, parameters, strict=True):
        z = activations[-1] @ weights + bias
        zs.append(z)
        activations.append(activation(layer.activation).value(np, z))
    return Activations(zs, activations)


def backprop(network: Network, parameters: Parameters, passed: Activations, y: Array) -> Parameters:
    """Backpropagation: the gradient of the mean loss by every weight and bias, from the last layer to the first."""
    gradients: Parameters = []
    last = activation(network.layers[-1].activation)
    delta = output_delta(network.loss, last, passed.z[-1], passed.a[-1], y.astype(np.float64))
    for index in reversed(range(len(network.layers))):
        gradients.insert(0, (passed.a[index].T @ delta, delta.sum(axis=0)))
        if index:
            below = activation(network.layers[index - 1].activation)
            slope = below.slope(np, passed.z[index - 1], passed.a[index])
            delta = (delta @ parameters[index][0].T) * slope
    return gradients


def step(parameters: Parameters, gradients: Parameters, rate: float) -> Parameters:
    """Return new parameters: ``weights - rate * gradients``."""
    pairs = zip(parameters, gradients, strict=True)
    return [(w - rate * dw, b - rate * db) for (w, b), (dw, db) in pairs]


def train_epoch(
    network: Network, parameters: Parameters, x: Array, y: Array, batch_size: int, rate: float
) -> Parameters:
    """One epoch of minibatch gradient descent over the rows in order; returns new float64 parameters."""
    parameters = copied(parameters, "float64")
    for rows in batches(len(x), batch_size):
        passed = forward(network, parameters, x[rows])
        parameters = step(parameters, backprop(network, parameters, passed, y[rows]), rate)
    return parameters
