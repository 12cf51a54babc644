"""The conformance suite on what this plugin offers."""

from __future__ import annotations

import pytest

from harness.conformance import check


@pytest.mark.parametrize("name", ["blas", "example"])
def test_it_conforms(name: str) -> None:
    check(name, level="quick")
