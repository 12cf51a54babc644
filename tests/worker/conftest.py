from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.contract import registry
from harness.contract.network import Network
from harness.contract.registry import Source
from harness.contract.spec import BackendSpec
from harness.plan.cell import Cell
from harness.worker.measuring import measure
from harness.worker.receipt import mismatches

Measure = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _as_on_a_quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other processes do to the machine has tests of its own in ``tests/worker/receipt``."""
    monkeypatch.setattr(mismatches, "_disturbances", lambda _receipt: iter(()))


@pytest.fixture
def cell() -> Callable[..., Cell]:
    """A small cell on the quadrants of the plane, any field replaced."""

    def build(**settings: Any) -> Cell:
        base: dict[str, Any] = {
            "study": "test",
            "backend": "plain",
            "options": {},
            "workers": 1,
            "batch": 32,
            "network": Network.dense([64, 16, 10]),
            "dataset": "synthetic",
            "dataset_options": {"rows": 300, "inputs": 64, "outputs": 10},
            "rate": 0.5,
            "seed": 3,
            "init": "glorot_uniform",
            "epochs": 3,
            "time_limit": 60.0,
        }
        return Cell(**{**base, **settings})

    return build


@pytest.fixture
def run(cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Measure a backend of ``plain_backends`` by the name of its class, as if a plugin had brought it."""

    def call(kind: str = "Plain", *, spec: dict[str, Any] | None = None, **settings: Any) -> Any:
        described = BackendSpec(
            api=1,
            name=kind.lower(),
            implementation=f"tests.worker.plain_backends:{kind}",
            summary="for a test",
            parallel="none",
            algebra="handwritten",
            **(spec or {}),
        )
        known = registry.registry()
        source = Source("plain_backends", "tests.worker.plain_backends", "no-distribution", "0")
        fuller = dataclasses.replace(
            known,
            backends={**known.backends, described.name: described},
            sources={**known.sources, described.name: source},
        )
        monkeypatch.setattr(registry, "registry", lambda: fuller)
        asked = cell(backend=described.name, **settings)
        return measure({"cell": asked.to_json(), "round": 0})

    return call
