"""The pieces of the suite: configurations, pairs, known failures, the verdict, the second oracle."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import BackendSpec, Network, initial_parameters
from harness.conformance import child, differences
from harness.conformance.cases import pairwise
from harness.conformance.configuration import Configuration, configurations, matches, reason_for
from harness.conformance.expecting import expect_array
from harness.conformance.running import AGREEMENT_CHECK, _stale, agreement
from harness.conformance.traces import ThreadSampler, holding, settled
from harness.conformance.verdict import CheckResult, Verdict


def spec(**options: Any) -> BackendSpec:
    return BackendSpec(
        api=1, name="some", implementation="a:B", summary="some", parallel="none", algebra="blas", options=options
    )


def words(found: list[Configuration]) -> list[str]:
    return [str(configuration) for configuration in found]


def test_each_option_value_is_taken_alone_with_one_two_and_three_workers() -> None:
    found = words(configurations(spec(mode=("a", "b"), depth=(1, 2, ...)), "full"))
    assert found == [f"{option}workers={n}" for option in ("", "mode=b ", "depth=2 ") for n in (1, 2, 3)]


def test_quick_takes_other_option_values_with_one_worker_only() -> None:
    found = words(configurations(spec(mode=("a", "b")), "quick"))
    assert found == ["workers=1", "workers=2", "workers=3", "mode=b workers=1"]


def test_one_device_has_one_worker() -> None:
    found = words(configurations(spec(device=("cpu", "cuda")), "full"))
    assert found == ["workers=1", "workers=2", "workers=3", "device=cuda workers=1"]


def test_what_is_named_is_taken_as_it_is() -> None:
    found = configurations(spec(device=("cpu", "cuda"), mode=("a", "b")), "full", {"mode": "b"}, (4,))
    assert words(found) == ["mode=b workers=4"]
    assert found[0].words() == ["--options", "mode=b", "--workers", "4"]
    assert dict(found[0].options) == {"device": "cpu", "mode": "b"}


def test_pairwise_rows_hold_every_pair_of_values_in_fewer_rows() -> None:
    axes = (range(5), range(7), range(2), range(4))
    rows = pairwise(axes)
    for (one, first), (two, second) in itertools.combinations(enumerate(axes), 2):
        assert {(row[one], row[two]) for row in rows} == set(itertools.product(first, second))
    assert len(rows) < 60 < 5 * 7 * 2 * 4


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("an_epoch[8]", True),
        ("an_epoch", True),
        ("an_epoch @ workers=2", True),
        ("an_epoch[8] @ mode=b workers=2", True),
        ("an_epoch @ workers=3", False),
        ("an_epoch[9]", False),
        ("an_ep", False),
    ],
)
def test_a_known_failure_is_named_by_check_case_and_configuration(key: str, meant: bool) -> None:  # noqa: FBT001
    assert matches(key, "an_epoch[8]", "mode=b workers=2") is meant
    assert reason_for({key: "because"}, "an_epoch[8]", "mode=b workers=2") == ("because" if meant else None)


def test_a_known_failure_that_no_longer_exists_fails() -> None:
    ran = [CheckResult("there", "numbers", "workers=1", "passed")]
    (stale,) = _stale("some", {"there": "a reason", "gone": "a reason"}, ran)
    assert (stale.name, stale.outcome) == ("gone", "failed")


def run(name: str, word: str, failures: dict[str, str]) -> list[dict[str, Any]]:
    request = {"backend": name, "options": {}, "workers": 1, "level": "quick", "word": word}
    results: list[dict[str, Any]] = child.main({**request, "known": failures, "done": [], "seconds": None})["results"]
    return results


def test_a_known_failure_is_counted_apart_and_one_that_passes_fails() -> None:
    (failing,) = run("mutant_backends:ClosesOnce", "closing_twice", {"closing_twice_is_fine": "mended in 1.2"})
    assert (failing["outcome"], failing["text"]) == ("known failure", "mended in 1.2")
    (passing,) = run("good_backend:Good", "closing_twice", {"closing_twice_is_fine": "mended in 1.2"})
    assert passing["outcome"] == "failed"
    assert passing["text"] == "passes, but is named as a known failure (mended in 1.2): remove it from the list"


def test_the_verdict_counts_and_gives_the_reasons() -> None:
    results = [CheckResult(f"check{n}", "numbers", "workers=1", "passed") for n in range(212)]
    refused = [CheckResult("one", "numbers", f"workers={n}", "not applicable", "serial") for n in (2, 3)]
    verdict = Verdict("blas", "full", (*results, *refused))
    assert str(verdict) == "blas: api 1, level full, 214 checks, 212 passed, 2 not applicable (serial)"
    assert verdict
    known_failure = CheckResult("two", "numbers", "workers=1", "known failure", "upstream")
    failed = CheckResult("three", "numbers", "workers=1", "failed", "W[0] is 1", "harness check blas -k three")
    fallen = Verdict("blas", "full", (*results, known_failure, failed))
    assert not fallen
    assert str(fallen) == (
        "FAILED three (workers=1)\n    W[0] is 1\n    repeat: harness check blas -k three\n\n"
        "blas: api 1, level full, 214 checks, 212 passed, 1 FAILED, 1 known to fail (upstream)"
    )


def test_a_verdict_without_a_check_that_passed_is_a_failure() -> None:
    assert not Verdict("blas", "full", ())
    assert not Verdict("blas", "full", (CheckResult("one", "numbers", "workers=1", "not applicable", "never"),))


class Checked:
    """What ``agreement`` needs of a session."""

    name, level = "some", "full"

    def __init__(self, workers: int, weights: list[float]) -> None:
        self.configuration = Configuration((), (), workers)
        self.properties = {AGREEMENT_CHECK: {"weights": [weights], "allowed": [[1e-3, 1e-3]]}}


def test_workers_that_end_elsewhere_disagree() -> None:
    sessions = [Checked(1, [1.0, 2.0]), Checked(2, [1.0005, 2.0]), Checked(3, [1.0, 2.01])]
    agrees, disagrees = agreement(sessions)
    assert (agrees.configuration, agrees.outcome) == ("workers=2", "passed")
    assert disagrees.outcome == "failed"
    assert disagrees.text.startswith("weights of layer 0, element 1, is 2.01, with 1 workers 2: differs by 0.01")


def test_the_pytest_plugin_is_light_since_every_pytest_session_loads_it() -> None:
    probe = "import sys, harness.conformance.plugin; print(sorted({'numpy', 'psutil', 'pluggy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "['pluggy']\n"  # pytest's own


def test_the_plugin_leaves_other_tests_alone(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_it(request): assert 'target' not in request.fixturenames\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_second_oracle_shares_no_code_with_the_reference() -> None:
    tree = ast.parse(Path(differences.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module for module in modules if module and module.startswith("harness")} == {"harness.contract.arrays"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_central_differences_find_a_slope_that_is_known(dtype: str) -> None:
    network = Network.dense([3, 2], activation="linear", dtype=dtype)
    start = initial_parameters(network, 1)
    x = np.arange(12, dtype=dtype).reshape(4, 3) / 10
    y = np.ones((4, 2), dtype)
    delta = 2 * (x @ start[0][0] + start[0][1] - y) / 4
    gradients = [(x.T @ delta, delta.sum(axis=0))]
    for _, move in differences.one_by_one(start, 0):
        found = differences.slope("mse", lambda at: x @ at[0][0] + at[0][1], start, move, y)
        assert abs(found.value - differences.along(gradients, move)) < found.error < 0.01


def test_nothing_that_is_not_a_number_passes_for_one() -> None:
    with pytest.raises(pytest.fail.Exception, match="is nan, should be 1"):
        expect_array("outputs", np.array([1.0, np.nan]), np.ones(2), np.full(2, 1e9))


def test_the_sampler_sees_what_is_busy_and_what_is_not() -> None:
    with ThreadSampler() as idle:
        settled(lambda _: False, 0.1)
    assert idle.share_above(1) < 0.5
    large = np.ones((300, 300))
    with ThreadSampler() as busy:
        for _ in range(100):
            large @ large
    assert busy.usual >= 1
    assert holding().threads >= 1
