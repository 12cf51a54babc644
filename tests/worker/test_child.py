"""The worker as the runner starts it: a process of its own, a plugin installed, the result over the channel."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.machine.process import Ended, Limits, Start, run
from harness.plan.cell import Cell
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


LAUNCHER = """
import os, subprocess, sys, time

ranks = [subprocess.Popen(sys.argv[1:], env={**os.environ, "FAKE_RANK": str(rank)}) for rank in range(2)]
while all(rank.poll() is None for rank in ranks):
    time.sleep(0.01)
failed = any(rank.poll() for rank in ranks)
for rank in ranks:
    if failed:
        rank.kill()
    rank.wait()
sys.exit(failed)
"""
COLLECTIVE = """

class Fake(Plain):
    def rank(self):
        return int(os.environ["FAKE_RANK"])

    def sync(self):
        if self.rank() == 1:
            raise OSError("rank 1 lost its wire")
        time.sleep(10_000)  # where nobody ends it, the test runs into its time limit
"""


@pytest.fixture
def worker(tmp_path: Path, cell: Callable[..., Cell]) -> Callable[..., Ended]:
    def start(
        body: str, environment: dict[str, str] | None = None, words: tuple[str, ...] = (), **settings: Any
    ) -> Ended:
        site = Site(tmp_path / "site")
        source = offering(spec("fake")).replace("(api=1", f"(launcher={'launcher' if words else None}, api=1")
        source += "\n\ndef launcher(workers, options, hosts):\n    return ()\n"
        site.install("fake", source, files={"backend.py": body})
        path = os.pathsep.join(filter(None, [str(site.folder), os.environ.get("PYTHONPATH", "")]))
        return run(
            Start(
                module="harness.worker",
                request={"cell": cell(backend="fake", **settings).to_json(), "round": 1},
                environment={**os.environ, "PYTHONPATH": path, **(environment or {})},
                limits=Limits(60.0),
                words=words,
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


def test_a_rank_that_fails_delivers_and_frees_those_that_wait_for_it(
    worker: Callable[..., Ended], tmp_path: Path
) -> None:
    script = tmp_path / "launcher.py"
    script.write_text(LAUNCHER)
    ended = worker(
        "import os\nimport time\n" + SOURCE.replace("from __future__ import annotations\n", "") + COLLECTIVE,
        words=(sys.executable, str(script)),
    )
    assert ended.message is not None, ended.stderr
    assert ended.message["state"] == "error"
    assert "rank 1 lost its wire" in ended.message["reason"]
