from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.contract.network import Network
from harness.plan.cell import Cell
from harness.worker.parity.plan import BUDGET, HEAD, cost, plan

Build = Callable[..., Cell]
LARGE = Network.dense([784, 1024, 10])


def test_a_small_set_is_compared_whole(cell: Build) -> None:
    chosen = plan(cell(), 300)
    assert (chosen.whole, chosen.rows, chosen.batch) == (True, 300, slice(0, 32))


def test_a_large_set_is_compared_on_its_head_in_whole_batches(cell: Build) -> None:
    chosen = plan(cell(network=LARGE, batch=64), 64 * 900)
    assert not chosen.whole
    assert chosen.rows % 64 == 0
    assert 64 < chosen.rows < 64 * 900
    assert cost(LARGE, chosen.rows, 64) <= HEAD < BUDGET


def test_the_head_ends_in_the_ragged_batch_of_the_whole(cell: Build) -> None:
    chosen = plan(cell(network=LARGE, batch=64), 64 * 900 + 5)
    assert chosen.rows % 64 == 5


@pytest.mark.parametrize("batch", [1, 60000])
def test_the_head_is_never_empty(cell: Build, batch: int) -> None:
    huge = Network.dense([784, 20000, 10])
    chosen = plan(cell(network=huge, batch=batch), 60000)
    assert not chosen.whole
    assert 1 <= chosen.rows < 60000
    assert chosen.batch.stop >= 1


def test_a_short_time_limit_leaves_less_to_the_reference(cell: Build) -> None:
    settings: dict[str, Any] = {"network": Network.dense([784, 100, 10]), "batch": 64}
    assert plan(cell(**settings), 20000).whole
    assert not plan(cell(**settings, time_limit=6.0), 20000).whole
