"""What the core itself brings, by the same hooks as a stranger's plugin."""

from __future__ import annotations

from collections.abc import Iterator

from harness import hookimpl
from harness.contract import activations
from harness.contract.activations import Activation
from harness.contract.dataset import Dataset
from harness.contract.spec import BackendSpec
from harness.datasets.shipped import SHIPPED
from harness.session.gate.copy import specs


@hookimpl
def harness_activations() -> Iterator[Activation]:
    """Yield the four activations of the contract."""
    yield from activations.shipped()


@hookimpl
def harness_datasets() -> Iterator[Dataset]:
    """Yield the datasets of the studies, the embedded one and those without files first."""
    yield from SHIPPED


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield none, but while the gate tests itself, its slowed copy."""
    yield from specs()
