"""The conformance suite on every option that a CPU can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.conformance import check


def test_jax_conforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configurations share what XLA compiled: what is checked is what it computes, not how long it compiles."""
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    check("jax", level="quick")
