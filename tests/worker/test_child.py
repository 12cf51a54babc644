"""The worker as the runner starts it: a process of its own, a plugin installed, the result over the channel."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cell import Cell
from harness.process import Ended, Limits, Start, run
from tests.fakes.site import Site, offering, spec
from tests.worker import plain_backends

SOURCE = inspect.getsource(plain_backends)
FAILING = (
    SOURCE + "\n\nclass Fake(Plain):\n    def train_epoch(self, batch_size, rate):\n        raise OSError('no wire')\n"
)
RANKED = """

class Fake(Plain):
    def rank(self):
        import os
        return int(os.environ["FAKE_RANK"])
"""


@pytest.fixture
def worker(tmp_path: Path, cell: Callable[..., Cell]) -> Callable[..., Ended]:
    def start(body: str, environment: dict[str, str] | None = None, **settings: Any) -> Ended:
        site = Site(tmp_path / "site")
        site.install("fake", offering(spec("fake")), files={"backend.py": body})
        path = os.pathsep.join(filter(None, [str(site.folder), os.environ.get("PYTHONPATH", "")]))
        return run(
            Start(
                module="harness.worker",
                request={"cell": cell(backend="fake", **settings).to_json(), "round": 1},
                environment={**os.environ, "PYTHONPATH": path, **(environment or {})},
                limits=Limits(60.0),
            )
        )

    return start


def test_the_child_delivers_a_row_with_its_receipt(worker: Callable[..., Ended]) -> None:
    ended = worker(SOURCE + "\n\nclass Fake(Plain):\n    pass\n")
    assert ended.state == "ended", ended.reason
    fields = ended.message
    assert fields is not None, ended.stderr
    assert fields["state"] == "ok", fields["reason"]
    receipt = fields["receipt"]
    assert receipt["origin"]["plugin"] == {"distribution": "fake-fake", "version": "1.0"}
    assert receipt["libraries"]["numpy"]
    assert receipt["python"]["version"] == sys.version.split()[0]
    assert receipt["threads"]["asked"] == 1
    assert receipt["parity"]["compared"] == "epoch"


def test_an_error_is_delivered_with_its_receipt_and_its_traceback(worker: Callable[..., Ended]) -> None:
    ended = worker(FAILING)
    fields = ended.message
    assert fields is not None, ended.stderr
    assert fields["state"] == "error"
    assert fields["reason"].startswith("OSError: no wire (backend.py, line ")
    assert fields["receipt"]["hardware"]["cpu"]
    assert "no wire" in ended.stderr


@pytest.mark.parametrize("rank", [0, 1])
def test_only_rank_0_delivers(worker: Callable[..., Ended], rank: int) -> None:
    ended = worker(SOURCE + RANKED, {"FAKE_RANK": str(rank)})
    assert ended.exit_code == 0, ended.stderr
    assert (ended.message is not None) == (rank == 0)


def test_a_cell_costs_under_half_a_second_outside_its_timed_part(worker: Callable[..., Ended]) -> None:
    body = SOURCE + "\n\nclass Fake(Plain):\n    pass\n"
    settings: dict[str, Any] = {"dataset": "digits", "dataset_options": {}}
    worker(body, **settings)  # computes the reference, which every later cell finds in the cache
    costs = []
    for _ in range(3):
        ended = worker(body, **settings)
        assert ended.message is not None, ended.stderr
        timed = ended.message["first_epoch_seconds"] + sum(ended.message["epoch_seconds"])
        costs.append(ended.cpu_seconds - timed)  # not the wall clock, which other processes lengthen
    assert min(costs) < 0.5
