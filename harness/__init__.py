"""harness: which way of training a multilayer perceptron is fastest here, by how much, and do all compute the same.

Every public name stands below and is loaded on first use, so that ``import harness`` costs next to nothing. What the
author of a backend needs besides stands in ``harness.plugin``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness._version import __version__ as __version__
    from harness.contract.activations import Activation as Activation
    from harness.contract.arrays import Array as Array
    from harness.contract.arrays import Parameters as Parameters
    from harness.contract.backend import Backend as Backend
    from harness.contract.batching import batches as batches
    from harness.contract.dataset import Dataset as Dataset
    from harness.contract.environment import Options as Options
    from harness.contract.environment import Variables as Variables
    from harness.contract.environment import combined as combined
    from harness.contract.environment import library_threads as library_threads
    from harness.contract.environment import one_library_thread as one_library_thread
    from harness.contract.environment import threads as threads
    from harness.contract.loading import get_backend as get_backend
    from harness.contract.network import Layer as Layer
    from harness.contract.network import Network as Network
    from harness.contract.parameters import initial_parameters as initial_parameters
    from harness.contract.registry import activation as activation
    from harness.contract.registry import backends as backends
    from harness.contract.registry.hooks import hookimpl as hookimpl
    from harness.contract.spec import BackendSpec as BackendSpec
    from harness.datasets.data import Data as Data
    from harness.datasets.data import Shape as Shape
    from harness.datasets.remote import RemoteFile as RemoteFile
    from harness.errors import DataError as DataError
    from harness.errors import HarnessError as HarnessError
    from harness.errors import PluginError as PluginError
    from harness.errors import RequestError as RequestError
    from harness.errors import Unavailable as Unavailable
    from harness.errors import Unsupported as Unsupported
    from harness.machine.kernels.option import blas_kernels as blas_kernels
    from harness.session.running import run as run

_HOME = {
    "Activation": "harness.contract.activations",
    "Array": "harness.contract.arrays",
    "Backend": "harness.contract.backend",
    "BackendSpec": "harness.contract.spec",
    "Data": "harness.datasets.data",
    "DataError": "harness.errors",
    "Dataset": "harness.contract.dataset",
    "HarnessError": "harness.errors",
    "Layer": "harness.contract.network",
    "Network": "harness.contract.network",
    "Options": "harness.contract.environment",
    "Parameters": "harness.contract.arrays",
    "PluginError": "harness.errors",
    "RemoteFile": "harness.datasets.remote",
    "RequestError": "harness.errors",
    "Shape": "harness.datasets.data",
    "Unavailable": "harness.errors",
    "Unsupported": "harness.errors",
    "Variables": "harness.contract.environment",
    "__version__": "harness._version",
    "activation": "harness.contract.registry",
    "backends": "harness.contract.registry",
    "batches": "harness.contract.batching",
    "blas_kernels": "harness.machine.kernels.option",
    "combined": "harness.contract.environment",
    "get_backend": "harness.contract.loading",
    "hookimpl": "harness.contract.registry.hooks",
    "initial_parameters": "harness.contract.parameters",
    "library_threads": "harness.contract.environment",
    "one_library_thread": "harness.contract.environment",
    "run": "harness.session.running",
    "threads": "harness.contract.environment",
}

__all__ = sorted(_HOME)  # noqa: PLE0605  one table serves loading, dir() and import *


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
