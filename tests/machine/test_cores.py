from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from harness.machine import cores as machine


def test_the_identity_is_the_same_in_every_process() -> None:
    code = "from harness.machine.cores import identity; print(identity())"
    found = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert found == {f"{machine.identity()}\n".encode()}


def test_the_identity_holds_no_name_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_machine_id", lambda: "")
    monkeypatch.setattr(platform, "node", lambda: "secret-host")
    machine.identity.cache_clear()
    named = machine.identity()
    monkeypatch.setattr(platform, "node", lambda: "other-host")
    machine.identity.cache_clear()
    assert "secret" not in named
    assert machine.identity() != named
    machine.identity.cache_clear()


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"}, 0.5),
        ({"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_both_versions_of_cgroups_tell_their_quota(tmp_path: Path, files: dict[str, str], cpus: float | None) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert machine._quota(tmp_path) == cpus


def test_the_tightest_quota_of_all_levels_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/outer/inner\n")
    inner = tmp_path / "cgroup/outer/inner"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000")
    (inner.parent / "cpu.max").write_text("100000 100000")
    monkeypatch.setattr(machine, "PROC", tmp_path / "proc")
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "cgroup")
    assert machine.cpu_quota() == 1.0
    assert machine.cores() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind a process to CPUs")
def test_cores_follow_the_affinity() -> None:
    bind = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    code = f"{bind}; from harness.machine.cores import cores; print(cores())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"1\n"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("AMD EPYC 9754 128-Core Processor", "amd-epyc-9754"),
        ("Intel(R) Xeon(R) Platinum 8480C CPU @ 2.10GHz", "intel-xeon-platinum-8480c"),
        ("", "cpu"),
    ],
)
def test_a_cpus_name_becomes_a_few_words(name: str, short: str) -> None:
    assert machine._slug(name) == short


def test_importing_this_loads_no_numpy() -> None:
    code = "import sys, harness.machine.cores; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
