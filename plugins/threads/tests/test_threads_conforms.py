"""The conformance suite on what this plugin offers."""

from __future__ import annotations

import pytest

from harness.conformance import check


def test_it_conforms() -> None:
    check("threads", level="quick")


@pytest.mark.parametrize("team", ["pool", "fork"])
def test_two_teams_of_threaded_blas_conform(team: str) -> None:
    """Four workers and two BLAS threads each are two threads at both levels at once, also with fewer cores."""
    check("threads", level="quick", options={"blas_threads": 2, "team": team}, workers=[4], word="training or manners")
