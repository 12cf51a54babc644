"""Names to things: backends, activations and datasets of every installed plugin. Loaded once a process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from harness.contract.activations import Activation
from harness.contract.dataset import Dataset
from harness.contract.registry.claims import by_name, items
from harness.contract.registry.hooks import Item
from harness.contract.registry.loading import load_all
from harness.contract.registry.missing import missing
from harness.contract.registry.problems import Problem, Source
from harness.contract.spec import BackendSpec
from harness.errors import RequestError, nearest

__all__ = [
    "Problem",
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
    """Everything that the installed plugins offer, by name, sorted; and what went wrong."""

    backends: dict[str, BackendSpec]
    activations: dict[str, Activation]
    datasets: dict[str, Dataset]
    sources: dict[str, Source]
    """Where each backend comes from, by its name."""
    problems: tuple[Problem, ...]


def registry() -> Registry:
    """Return the registry of this process, loading the plugins' light modules at the first call."""
    with _ONE_THREAD:
        return _registry()


@cache
def _registry() -> Registry:
    loaded, problems = load_all()
    problems += [problem for one in loaded for problem in one.problems]
    backends = by_name(loaded, BackendSpec, problems)
    return Registry(
        backends=items(backends),
        activations=items(by_name(loaded, Activation, problems)),
        datasets=items(by_name(loaded, Dataset, problems)),
        sources={name: source for name, (_, source) in backends.items()},
        problems=tuple(problems),
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
    """Return what is the matter with the plugin that should bring ``name``, where there is one."""
    causes = [str(one) for one in registry().problems if not one.warning and name in (one.name, one.source.plugin)]
    return f": {causes[0]}" if causes else ""
