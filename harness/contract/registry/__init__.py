"""Finds backends, activations and datasets of every installed plugin by name. Plugins are loaded once a process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from harness.contract.activations import Activation
from harness.contract.dataset import Dataset
from harness.contract.registry.claims import by_name, items
from harness.contract.registry.faults import Fault, Source
from harness.contract.registry.hooks import Item
from harness.contract.registry.loading import load_all
from harness.contract.registry.missing import missing
from harness.contract.spec import BackendSpec
from harness.errors import RequestError, nearest

__all__ = [
    "Fault",
    "Registry",
    "Source",
    "activation",
    "backends",
    "dataset",
    "missing",
    "registry",
    "spec",
]

T = TypeVar("T", bound=Item)

_ONE_THREAD = threading.RLock()
"""Loading redirects standard output, which two threads cannot do at once."""


@dataclass(frozen=True)
class Registry:
    """Everything that the installed plugins offer, sorted by name, and every fault that was found in them."""

    backends: dict[str, BackendSpec]
    activations: dict[str, Activation]
    datasets: dict[str, Dataset]
    sources: dict[str, Source]
    """Where each backend comes from, by its name."""
    faults: tuple[Fault, ...]


def registry() -> Registry:
    """Return the registry of this process, loading the plugins' light modules at the first call."""
    with _ONE_THREAD:
        return _registry()


@cache
def _registry() -> Registry:
    loaded, faults = load_all()
    faults += [fault for plugin in loaded for fault in plugin.faults]
    backends = by_name(loaded, BackendSpec, faults)
    return Registry(
        backends=items(backends),
        activations=items(by_name(loaded, Activation, faults)),
        datasets=items(by_name(loaded, Dataset, faults)),
        sources={name: source for name, (_, source) in backends.items()},
        faults=tuple(faults),
    )


def backends() -> dict[str, BackendSpec]:
    """Return ``{name: BackendSpec}`` of every healthy plugin, sorted by name; imports no implementation."""
    return dict(registry().backends)


def spec(name: str) -> BackendSpec:
    """Return one backend's spec; an unknown name is a ``RequestError`` with the nearest right one."""
    return _named("backend", name, registry().backends)


def activation(name: str) -> Activation:
    """Return one activation by name."""
    return _named("activation", name, registry().activations)


def dataset(name: str) -> Dataset:
    """Return one dataset by name."""
    return _named("dataset", name, registry().datasets)


def _named(what: str, name: str, known: dict[str, T]) -> T:
    try:
        return known[name]
    except (KeyError, TypeError):  # a name may be anything, also what cannot be hashed
        raise RequestError(f"unknown {what} {name!r}{_why(name) or nearest(str(name), known)}") from None


def _why(name: str) -> str:
    """Return the fault of the plugin that should bring ``name``, ready to be appended, or nothing."""
    faults = [fault for fault in registry().faults if not fault.warning and name in (fault.name, fault.source.plugin)]
    return f": {faults[0]}" if faults else ""
