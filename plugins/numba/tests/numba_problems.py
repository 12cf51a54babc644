"""What the tests of the three backends share: small problems and the float64 reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from harness_numba.fused.backend import FusedBackend

import harness
from harness.plugin import reference


@dataclass
class Problem:
    """A network, its start and a random set."""

    net: harness.Network
    start: harness.Parameters
    x: harness.Array
    y: harness.Array

    def trained(self, batch: int, rate: float, epochs: int = 1) -> harness.Parameters:
        """Return what the reference ends in."""
        parameters = self.start
        for _ in range(epochs):
            parameters = reference.train_epoch(self.net, parameters, self.x, self.y, batch, rate)
        return parameters


def problem(
    *sizes: int, rows: int = 23, activation: str | list[str] = "sigmoid", loss: str = "mse", dtype: str = "float32"
) -> Problem:
    """Return a problem with one-hot targets."""
    net = harness.Network.dense(sizes, activation=activation, loss=loss, dtype=dtype)
    generator = np.random.default_rng(7)
    x = generator.random((rows, sizes[0])).astype(dtype)
    y = np.eye(sizes[-1])[generator.integers(0, sizes[-1], rows)].astype(dtype)
    return Problem(net, harness.initial_parameters(net, seed=3), x, y)


def trained(case: Problem, batch: int, rate: float, workers: int, epochs: int = 1) -> harness.Parameters:
    """Return what ``fused`` ends in."""
    with FusedBackend(case.net, case.start, workers=workers) as backend:
        backend.load(case.x, case.y)
        for _ in range(epochs):
            backend.train_epoch(batch, rate)
        return backend.parameters()


def same(ours: harness.Parameters, wanted: harness.Parameters) -> None:
    """Assert that two sets of parameters agree to rounding in the dtype of the first."""
    for (w, b), (v, c) in zip(ours, wanted, strict=True):
        tolerance = 200 * float(np.finfo(w.dtype).eps)
        np.testing.assert_allclose(w, v, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(b, c, rtol=tolerance, atol=tolerance)
