"""The whole plugin interface: three hooks, each called once, each yielding plain objects."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from harness.contract.activations import Activation
from harness.contract.dataset import Dataset
from harness.contract.spec import BackendSpec

hookspec = pluggy.HookspecMarker("harness")
hookimpl = pluggy.HookimplMarker("harness")

Item = BackendSpec | Activation | Dataset


@hookspec
def harness_backends() -> Iterable[BackendSpec]:
    """Yield the backends that this distribution offers."""
    raise NotImplementedError


@hookspec
def harness_activations() -> Iterable[Activation]:
    """Yield activations that networks may name."""
    raise NotImplementedError


@hookspec
def harness_datasets() -> Iterable[Dataset]:
    """Yield datasets that studies may name."""
    raise NotImplementedError


KINDS: dict[str, type[Item]] = {
    "harness_backends": BackendSpec,
    "harness_activations": Activation,
    "harness_datasets": Dataset,
}
"""What each hook yields."""
