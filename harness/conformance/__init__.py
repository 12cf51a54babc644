"""The conformance suite: does a backend do what the contract says, and compute what the reference computes?

``check("torch")`` runs it on every configuration, each in a process of its own, and raises ``NotConforming`` with the
verdict if any check fails. ``pytest --pyargs harness.conformance --harness-backend torch`` runs one configuration in
its own process. Every name is loaded on first use, because the pytest plugin imports this package in every session.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.conformance.running import check as check
    from harness.conformance.verdict import NotConforming as NotConforming
    from harness.conformance.verdict import Verdict as Verdict

_HOME = {
    "NotConforming": "harness.conformance.verdict",
    "Verdict": "harness.conformance.verdict",
    "check": "harness.conformance.running",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'harness.conformance' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
