"""The conformance suite on what this plugin offers."""

from __future__ import annotations

from harness.conformance import check


def test_it_conforms() -> None:
    check("python", level="quick")
