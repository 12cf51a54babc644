"""Activations that a plugin registers, in the compiled backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness_numba.fused.backend import FusedBackend
from harness_numba.linalg import LinalgBackend
from harness_numba.neurons import NeuronsBackend

import harness
from plugins.numba.tests.numba_problems import problem, same, trained
from tests.fakes.registering import register


def test_a_registered_slope_is_asked_for_no_neuron_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its pair ``z = 0``, ``a = 0`` would be none that its function gives, and a division by zero."""
    ramp = harness.Activation(
        "ramp",
        lambda xp, z: xp.sqrt(z * z + 1),
        lambda _xp, z, a: z / a,
        (0.0, 9.0),
        lambda z: (z * z + 1.0) ** 0.5,
        lambda z, a: z / a,
    )
    register(monkeypatch, ramp)
    case = problem(20, 33, 3, activation=["ramp", "sigmoid"], dtype="float64")
    same(trained(case, 4, 0.01, 2), case.trained(4, 0.01))
    assert "ZeroDivisionError" not in capfd.readouterr().err


def test_a_registered_activation_is_called_by_its_compiled_scalar_form(monkeypatch: pytest.MonkeyPatch) -> None:
    bent = harness.Activation(
        "bent",
        lambda xp, z: (xp.sqrt(z * z + 1) - 1) / 2 + z,
        lambda xp, z, _a: z / (2 * xp.sqrt(z * z + 1)) + 1,
        (-np.inf, np.inf),
        lambda z: ((z * z + 1.0) ** 0.5 - 1.0) / 2.0 + z,
        lambda z, _a: z / (2.0 * (z * z + 1.0) ** 0.5) + 1.0,
    )
    register(monkeypatch, bent)
    case = problem(20, 33, 17, 3, activation=["bent", "bent", "tanh"], dtype="float64")
    for batch in (1, 9):
        same(trained(case, batch, 0.01, 2), case.trained(batch, 0.01))


HALF = harness.Activation(
    "half",
    lambda xp, z: 0.5 + z / (2 + 2 * xp.abs(z)),
    lambda xp, z, _a: 0.5 / (1 + xp.abs(z)) ** 2,
    (0.0, 1.0),
    lambda z: 0.5 + z / (2.0 + 2.0 * abs(z)),
    lambda z, _a: 0.5 / (1.0 + abs(z)) ** 2,
)


@pytest.mark.parametrize("kind", [FusedBackend, LinalgBackend, NeuronsBackend])
def test_nan_stays_nan_under_bce_on_a_registered_activation(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, HALF)
    case = problem(20, 33, 3, activation=["tanh", "half"], loss="bce", dtype="float64")
    case.x[0] = np.nan
    with kind(case.net, case.start) as backend:
        backend.load(case.x, case.y)
        backend.forward(slice(0, 4))
        backend.backprop(slice(0, 4))
        assert np.isnan(backend.gradients()[-1][1]).all()


def test_bce_on_a_registered_activation_follows_the_chain_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, HALF)
    case = problem(20, 33, 3, activation=["tanh", "half"], loss="bce", dtype="float64")
    same(trained(case, 4, 0.1, 2), case.trained(4, 0.1))
