"""The suite itself: asv finds nothing wrong with it, and its quick form runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path

import pytest

import harness
from benchmarks import combinations, training
from benchmarks.epochs import operations
from harness.contract.registry import registry
from tests.asv.scratch import ROOT, json_with_comments, know_machine

EXISTING = f"existing:{sys.executable}"
SMALL = r"track_epoch\('(blas|mpi-ensemble)', '64-32-10', 128, 1\)|time_help|time_report"


def asv(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run asv on the project's suite, for a user who never ran it before, with all that it writes in ``folder``."""
    places = {"repo": str(ROOT), "benchmark_dir": str(ROOT / "benchmarks")}
    (folder / "asv.conf.json").write_text(json.dumps({**json_with_comments(ROOT / "asv.conf.json"), **places}))
    machine = ("--machine", know_machine(folder)) if words[0] == "run" else ()
    line = [sys.executable, "-m", "asv", *words, "--environment", EXISTING, *machine]
    named = {**os.environ, "HOME": str(folder)}
    return subprocess.run(line, cwd=folder, env=named, capture_output=True, text=True, timeout=280, check=False)


def test_asv_finds_nothing_wrong_with_the_suite(tmp_path: Path) -> None:
    done = asv(tmp_path, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No problems found" in done.stdout


@pytest.mark.timeout(300)
def test_the_quick_form_runs_and_a_backend_that_is_not_here_is_no_failure(tmp_path: Path) -> None:
    done = asv(tmp_path, "run", "--quick", "--dry-run", "--show-stderr", "--bench", SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ +blas +64-32-10 +128 +\d\S+ ", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"costs\.Start\.time_help +\d", done.stdout)
    assert re.search(r"costs\.Stored\.time_report +\d", done.stdout)


def test_every_backend_that_is_installed_is_tracked() -> None:
    ours = {name for name, source in registry().sources.items() if _ours(source.distribution)}
    assert ours
    assert ours <= set(combinations.BACKENDS)


def _ours(distribution: str) -> bool:
    return (ROOT / "plugins" / distribution.removeprefix("backprop-harness-")).is_dir()


def test_every_combination_has_rows_except_pure_python_on_the_large_network() -> None:
    every = list(product(combinations.BACKENDS, combinations.NETS, combinations.BATCHES))
    assert [one for one in every if combinations.rows(*one) is None] == [
        ("python", "784-1024-10", batch) for batch in combinations.BATCHES
    ]
    assert all((combinations.rows(*one) or one[2]) >= one[2] for one in every)


def test_operations_are_counted_as_the_harness_counts_them() -> None:
    for net in combinations.NETS:
        sizes = [int(size) for size in net.split("-")]
        assert operations(sizes) == harness.Network.dense(sizes).flops_per_example


def test_asvs_own_test_has_enough_samples_to_find_a_difference() -> None:
    from asv._stats import mann_whitney_u

    count = training.SAMPLES * training.ROUNDS
    _, chance = mann_whitney_u(list(range(count)), list(range(count, 2 * count)))
    assert chance < 0.002


def test_the_version_follows_the_code_and_not_its_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "HERE", tmp_path)
    found = []
    for text in ("a = 1", "a = 1  # the same", "a = 2"):
        for name in ("child", "combinations"):
            (tmp_path / f"{name}.py").write_text(text)
        found.append(training.version())
    assert found[0] == found[1] != found[2]


def test_the_quick_look_of_make_selects_something_of_everything() -> None:
    (quick,) = re.findall(r"^QUICK := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.search(quick, "epochs.Epoch.track_epoch('fused', '784-1024-10', 128, 2)")
    assert not re.search(quick, "epochs.Epoch.track_epoch('fused', '784-1024-10', 128, 1)")
    assert re.search(quick, "epochs.Learning.track_error_rate('fused', 1)")
    assert re.search(quick, "costs.Start.time_help")


def test_the_configuration_pins_what_the_tests_pin() -> None:
    lines = (ROOT / ".ci/constraints.txt").read_text().splitlines()
    pinned = {line.replace("_", "-").lower() for line in lines if "==" in line}
    wanted = json_with_comments(ROOT / "asv.conf.json")["matrix"]["req"]
    assert {f"{name}=={version}" for name, (version,) in wanted.items()} <= pinned


def test_the_configuration_installs_all_that_the_core_and_the_plugins_need() -> None:
    manifests = [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]
    projects = [tomllib.loads(path.read_text())["project"] for path in manifests]
    needed = {re.split(r"[<>=!~ \[;]", name)[0].lower() for one in projects for name in one["dependencies"]}
    others = {name for name in needed if not name.startswith("backprop-harness")}
    assert len(manifests) > 1
    assert others - {"tensorflow", "numba-cuda"} <= json_with_comments(ROOT / "asv.conf.json")["matrix"]["req"].keys()
