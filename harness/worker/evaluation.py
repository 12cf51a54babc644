"""Loss and accuracy of a backend's present weights on its loaded set, in slices of the cell's batch. Never timed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.contract.arrays import Array
from harness.contract.backend import Backend
from harness.contract.batching import batches
from harness.contract.losses import loss_value
from harness.contract.network import Network
from harness.contract.registry import activation
from harness.errors import PluginError


@dataclass(frozen=True)
class Score:
    """Mean loss and share of right answers over one set; a loss that is not finite stays so."""

    loss: float
    accuracy: float

    @property
    def finite(self) -> bool:
        """Whether the loss is a number, which it is not once an output has left the finite ones."""
        return math.isfinite(self.loss)


def evaluate(backend: Backend, y: Array, batch: int) -> Score:
    """Return loss and accuracy on the loaded set, whose labels are ``y``."""
    outputs = all_outputs(backend, len(y), batch)
    with np.errstate(all="ignore"):  # what has diverged shows in the figures
        return Score(loss_value(backend.network.loss, outputs, y), accuracy(backend.network, outputs, y))


def all_outputs(backend: Backend, rows: int, batch: int) -> Array:
    """Return the outputs for every row of the loaded set, forwarded slice by slice."""
    outputs = np.empty((rows, backend.network.outputs), backend.network.dtype)
    for part in batches(rows, batch):
        backend.forward(part)
        outputs[part] = checked_outputs(backend, part)
    return outputs


def checked_outputs(backend: Backend, part: slice) -> Array:
    """Return ``backend.outputs()`` and make sure that its shape is that of the slice just forwarded."""
    found, wanted = backend.outputs(), (part.stop - part.start, backend.network.outputs)
    if found.shape != wanted:
        raise PluginError(f"outputs() has shape {found.shape} after forward of {part}, should be {wanted}")
    return found


def accuracy(network: Network, outputs: Array, y: Array) -> float:
    """Return the share of rows answered right: arg max, or with one output the middle of its range."""
    if network.outputs == 1:
        middle = threshold(network)
        right = (outputs[:, 0] > middle) == (y[:, 0] > middle)
    else:
        right = outputs.argmax(axis=1) == y.argmax(axis=1)
    return float(right.mean())


def threshold(network: Network) -> float:
    """Return the middle of the last activation's range; 0.5 where the range has no end, as labels are 0 and 1."""
    low, high = activation(network.layers[-1].activation).range
    return (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else 0.5
