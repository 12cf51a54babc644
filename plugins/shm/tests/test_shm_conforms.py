"""The conformance suite on what this plugin offers."""

from __future__ import annotations

import pytest

from harness.conformance import check


@pytest.mark.parametrize("workers", [1, 2])
def test_it_conforms(workers: int) -> None:
    check("shm", level="quick", workers=[workers])


def test_it_conforms_with_more_workers_than_cores() -> None:
    """The numbers; every check starts processes, so the other checks are left to the runs above."""
    check("shm", level="quick", options={}, workers=[3], word="training")
