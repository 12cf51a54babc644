"""An activation that is known for one test, as if an installed plugin had brought it."""

from __future__ import annotations

import pytest

from harness import Activation
from harness.contract.registry import registry


def register(monkeypatch: pytest.MonkeyPatch, activation: Activation) -> None:
    """Make an activation known until the test ends."""
    monkeypatch.setitem(registry().activations, activation.name, activation)
