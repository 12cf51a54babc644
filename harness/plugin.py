"""What the author of a plugin may import besides ``harness``: promised as the contract is, and nothing else is.

Each name is loaded on first use, so that a light module of a plugin may import this one. Everything else inside
``harness`` is private and may move at any time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.contract import reference as reference
    from harness.contract.arrays import copied as copied
    from harness.contract.backend import check_rate as check_rate
    from harness.contract.backend import check_reserved as check_reserved
    from harness.contract.batching import batches as batches
    from harness.contract.checks import one_of as one_of
    from harness.contract.checks import whole_number as whole_number
    from harness.contract.folders import cache_folder as cache_folder
    from harness.contract.losses import loss_value as loss_value
    from harness.contract.losses import output_delta as output_delta
    from harness.contract.losses import softmax as softmax
    from harness.datasets.files import located as located
    from harness.machine.cores import cores as cores
    from harness.machine.kernels.option import require_kernels as require_kernels

_HOME = {
    "batches": "harness.contract.batching",
    "cache_folder": "harness.contract.folders",
    "check_rate": "harness.contract.backend",
    "check_reserved": "harness.contract.backend",
    "copied": "harness.contract.arrays",
    "cores": "harness.machine.cores",
    "located": "harness.datasets.files",
    "loss_value": "harness.contract.losses",
    "one_of": "harness.contract.checks",
    "output_delta": "harness.contract.losses",
    "reference": "harness.contract.reference",
    "require_kernels": "harness.machine.kernels.option",
    "softmax": "harness.contract.losses",
    "whole_number": "harness.contract.checks",
}

__all__ = sorted(_HOME)  # noqa: PLE0605  one table serves loading, dir() and import *


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'harness.plugin' has no attribute {name!r}")
    home = importlib.import_module(_HOME[name])
    value = home if name == "reference" else getattr(home, name)  # the reference is promised as a module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
