"""What the core itself brings, by the same hooks as a stranger's plugin."""

from __future__ import annotations

from collections.abc import Iterator

from harness import hookimpl
from harness.activations import Activation, shipped


@hookimpl
def harness_activations() -> Iterator[Activation]:
    """Yield the four activations of the contract."""
    yield from shipped()
