"""asv over a scratch repository in which a plugin gets slower, goes away and breaks, built anew at each commit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asv.results import iter_results

from tests.asv.scratch import Scratch, know_machine

BENCHMARK = "epochs.Epoch.track_epoch"
CHOSEN = r"track_epoch\('(python|example)', '64-32-10', 16, 1\)"
SLOWER = """

import time

_train_epoch = PythonBackend.train_epoch


def _slower(self: PythonBackend, batch_size: int, rate: float) -> None:
    begin = time.perf_counter()
    _train_epoch(self, batch_size, rate)
    time.sleep(time.perf_counter() - begin)


PythonBackend.train_epoch = _slower
"""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    made = Scratch(tmp_path_factory.mktemp("asv"))
    made.prepare_environment()
    return made


@pytest.fixture
def base(scratch: Scratch) -> Iterator[str]:
    """The first commit, where all is well; what a test commits after it is gone when it ends."""
    first = scratch.git("rev-list", "--max-parents=0", "HEAD")
    yield first
    scratch.git("reset", "--quiet", "--hard", first)


def values(scratch: Scratch, commit: str) -> dict[str, Any]:
    """Return by backend what asv has stored for the chosen combinations of a commit: a number, NaN or None."""
    (result,) = (one for one in iter_results(str(scratch.folder / ".asv/results")) if one.commit_hash == commit)
    params = [["'python'", "'example'"], ["'64-32-10'"], ["16"], ["1"]]
    return dict(zip(("python", "example"), result.get_result_value(BENCHMARK, params), strict=True))


def run_once(scratch: Scratch, commit: str) -> int:
    words = ["--quick", "--machine", know_machine(scratch.home), "--bench", CHOSEN]
    return scratch.asv("run", *words, f"{commit}^!").returncode


@pytest.mark.alone
def test_a_plugin_that_becomes_twice_as_slow_fails_the_gate_and_it_alone(scratch: Scratch, base: str) -> None:
    with (scratch.folder / "plugins/python/harness_python/backend.py").open("a") as file:
        file.write(SLOWER)
    training = scratch.folder / "benchmarks/training.py"
    training.write_text(training.read_text().replace("ROUNDS = 2\n", "ROUNDS = 4\n"))  # tests share their cores
    slow = scratch.commit("Make python twice as slow")
    ended = scratch.make("asv-compare", BASE=base, FACTOR="1.5", BENCH=CHOSEN)
    regressions = re.findall(r"^\|\s*\+\s*\|.*$", ended.stdout, re.MULTILINE)
    assert ended.returncode != 0, ended.stdout + ended.stderr
    assert len(regressions) == 1, ended.stdout
    assert "'python'" in regressions[0]
    before, after = values(scratch, base), values(scratch, slow)
    assert after["python"] > 1.5 * before["python"]
    assert before["example"] > 0
    assert after["example"] > 0


def test_a_backend_that_a_commit_lacks_is_not_a_failure_and_no_other_takes_its_place(
    scratch: Scratch, base: str
) -> None:
    assert base
    scratch.git("rm", "-r", "--quiet", "plugins/python")
    without = scratch.commit("Remove the plugin python")
    assert run_once(scratch, without) == 0
    found = values(scratch, without)
    assert math.isnan(found["python"])
    assert found["example"] > 0


def test_a_plugin_that_is_broken_is_a_failure_and_not_merely_absent(scratch: Scratch, base: str) -> None:
    assert base
    (scratch.folder / "plugins/python/harness_python/__init__.py").write_text("raise RuntimeError('broken')\n")
    broken = scratch.commit("Break the plugin python")
    assert run_once(scratch, broken) != 0
    found = values(scratch, broken)
    assert found["python"] is None
    assert found["example"] > 0
