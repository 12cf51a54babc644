"""harness: which way of training a multilayer perceptron is fastest here, by how much, and do all compute the same.

Every public name stands below and is loaded on first use, so that ``import harness`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.activations import Activation as Activation
    from harness.api import run as run
    from harness.arrays import Array as Array
    from harness.arrays import Parameters as Parameters
    from harness.backend import Backend as Backend
    from harness.batching import batches as batches
    from harness.dataset import Dataset as Dataset
    from harness.datasets.data import Data as Data
    from harness.datasets.data import Shape as Shape
    from harness.datasets.remote import RemoteFile as RemoteFile
    from harness.environment import combined as combined
    from harness.environment import library_threads as library_threads
    from harness.environment import one_library_thread as one_library_thread
    from harness.environment import threads as threads
    from harness.errors import DataError as DataError
    from harness.errors import HarnessError as HarnessError
    from harness.errors import PluginError as PluginError
    from harness.errors import RequestError as RequestError
    from harness.errors import Unavailable as Unavailable
    from harness.errors import Unsupported as Unsupported
    from harness.network import Layer as Layer
    from harness.network import Network as Network
    from harness.parameters import initial_parameters as initial_parameters
    from harness.registry import activation as activation
    from harness.registry import backends as backends
    from harness.registry import get_backend as get_backend
    from harness.registry.hooks import hookimpl as hookimpl
    from harness.spec import BackendSpec as BackendSpec

__version__ = "0.1.0"

_HOME = {
    "Activation": "harness.activations",
    "Array": "harness.arrays",
    "Backend": "harness.backend",
    "BackendSpec": "harness.spec",
    "Data": "harness.datasets.data",
    "DataError": "harness.errors",
    "Dataset": "harness.dataset",
    "HarnessError": "harness.errors",
    "Layer": "harness.network",
    "Network": "harness.network",
    "Parameters": "harness.arrays",
    "PluginError": "harness.errors",
    "RemoteFile": "harness.datasets.remote",
    "RequestError": "harness.errors",
    "Shape": "harness.datasets.data",
    "Unavailable": "harness.errors",
    "Unsupported": "harness.errors",
    "activation": "harness.registry",
    "backends": "harness.registry",
    "batches": "harness.batching",
    "combined": "harness.environment",
    "get_backend": "harness.registry",
    "hookimpl": "harness.registry.hooks",
    "initial_parameters": "harness.parameters",
    "library_threads": "harness.environment",
    "one_library_thread": "harness.environment",
    "run": "harness.api",
    "threads": "harness.environment",
}

__all__ = sorted([*_HOME, "__version__"])  # noqa: PLE0605  one table serves loading, dir() and import *


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
