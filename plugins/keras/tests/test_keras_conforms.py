"""The conformance suite on every option that a CPU can run."""

from __future__ import annotations

from harness.conformance import check


def test_keras_conforms() -> None:
    check("keras", level="quick")
