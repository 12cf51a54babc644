from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.contract.vocabulary import Algebra
from harness.machine.facts import git, hardware, software, span, threads
from harness.machine.facts.variables import steering
from harness.worker.receipt.collect import collect
from harness.worker.receipt.mismatches import mismatches
from tests.samples import a_cell

QUIET: dict[str, Any] = {
    "threads": {
        "pools": [
            {
                "internal_api": "openblas",
                "num_threads": 2,
                "architecture": "SkylakeX",
                "library": "libscipy_openblas64_.so",
            }
        ]
    },
    "steady": {"seconds": 2.0, "effective_cores": 1.98, "children_cpu_seconds": 0.0, "steal_share": 0.0},
    "variables": {},
    "hardware": {"usable_cores": 4, "cpus": 4, "vectors": ["avx2", "avx512f"]},
    "backend": {},
}


def warned(
    changes: dict[str, dict[str, Any]], *, launched: bool = False, algebra: Algebra = "blas", **cell: Any
) -> list[str]:
    receipt = copy.deepcopy(QUIET)
    for part, values in changes.items():
        receipt[part].update(values)
    return mismatches(a_cell(**{"workers": 2, **cell}), algebra, receipt, launched=launched)


def pool(**fields: Any) -> dict[str, dict[str, Any]]:
    return {"threads": {"pools": [{**QUIET["threads"]["pools"][0], **fields}]}}


def test_a_quiet_cell_has_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert warned({}) == []


def test_threads_that_a_library_did_not_deliver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert warned({}) == ["openblas runs 2 threads, the environment asks for 3"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backend": {"threads": 1}}, "says that it runs 1 thread, the cell asks for 2"),
        ({"hardware": {"usable_cores": 1}}, "2 workers share 1 core"),
        ({"steady": {"effective_cores": 3.4}}, "3.40 cores were busy for 2 workers"),
        ({"steady": {"effective_cores": 1.02}}, "only 1.02 cores were busy for 2 workers"),
        ({"steady": {"steal_share": 0.11}}, "the hypervisor took 11%"),
        ({"steady": {"throttled_seconds": 0.5}}, "held the cell back for 0.50 s"),
        ({"steady": {"other_cores": 2.0}}, "other processes kept 2.0 of 4 CPUs busy"),
        ({"steady": {"waiting_share": 0.3, "effective_cores": 0.7}}, "waited for a CPU during 30%"),
        ({"steady": {"other_cores": 3.2, "effective_cores": 0.8}}, "other processes kept 3.2 of 4 CPUs busy"),
        (pool(architecture="Haswell"), "Haswell kernels on a CPU with AVX-512: the library is old"),
        ({**pool(architecture="Haswell"), "variables": {"OPENBLAS_CORETYPE": "Haswell"}}, "OPENBLAS_CORETYPE=Haswell"),
        ({**pool(architecture="Nehalem"), "hardware": {"vectors": ["avx2"]}}, "Nehalem kernels on a CPU with AVX2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_mismatch_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, dict[str, Any]], words: str
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    (warning,) = warned(changes)
    assert words in warning


def test_kernels_as_wide_as_the_cpu_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert warned({**pool(architecture="Haswell"), "hardware": {"vectors": ["avx2"]}}) == []


@pytest.mark.parametrize("algebra", ["handwritten", "library"])
def test_kernels_of_a_library_that_does_no_work_here_do_not_matter(
    monkeypatch: pytest.MonkeyPatch, algebra: Algebra
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert warned(pool(architecture="Haswell"), algebra=algebra) == []


def test_a_frameworks_own_blas_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert len(warned(pool(architecture="Haswell", library="libopenblas.so"), algebra="library")) == 1


def test_two_pools_alike_are_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert len(warned({"threads": {"pools": QUIET["threads"]["pools"] * 2}})) == 1


def test_facts_of_a_backend_become_plain_data() -> None:
    import numpy as np

    facts: Any = {"threads": np.int64(2), "bytes": np.float32(0.5), "rate": float("nan"), "device": "cpu", "list": [1]}
    told = collect(a_cell(), facts)["backend"]
    assert told == {"threads": 2, "bytes": 0.5, "rate": "nan", "device": "cpu", "list": "[1]"}
    json.dumps(told, allow_nan=False)


def test_a_short_stretch_says_nothing_about_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert warned({"steady": {"seconds": 0.001, "effective_cores": 9.0}}) == []


def test_a_short_stretch_has_no_figures_of_coarse_counters() -> None:
    with span.Span() as short:
        pass
    assert {"steal_share", "other_cores"}.isdisjoint(short.figures())


def test_a_thread_that_shares_its_cpu_waits() -> None:
    code = (
        "import os, time, sys\nfrom harness.machine.facts.span import Span\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "rivals = [os.fork() for _ in range(1)]\n"
        "until = time.monotonic() + 0.4\n"
        "if 0 in rivals:\n    while time.monotonic() < until + 0.3: pass\n    os._exit(0)\n"
        "with Span() as span:\n    while time.monotonic() < until: pass\n"
        "os.wait()\nprint(span.figures().get('waiting_share', 1.0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 0.2


def test_a_rank_is_measured_against_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert warned({"steady": {"effective_cores": 1.0}}, launched=True, workers=8) == []


def test_variables_that_steer_are_kept_and_secrets_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": "--x",
        "LD_PRELOAD": "",
        "PYTHON_GIL": "0",
        "MALLOC_ARENA_MAX": "1",
    }
    for name in (*kept, "TF_VAR_password", "TF_TOKEN_host", "CUDA_API_KEY", "HOME_PAGE"):
        monkeypatch.setenv(name, kept.get(name, "private"))
    assert kept.items() <= steering().items()
    assert "private" not in steering().values()


def test_effective_cores_count_this_process() -> None:
    with span.Span() as busy:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
    with span.Span() as idle:
        time.sleep(0.1)
    assert busy.own >= 0.1
    assert idle.effective_cores is not None
    assert idle.effective_cores < 0.2
    assert busy.effective_cores is not None
    assert busy.effective_cores > idle.effective_cores


def test_effective_cores_count_children_that_live_and_that_have_ended() -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    words = [sys.executable, "-S", "-c", spin]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        before = span.children_seconds()
        child.stdout.readline()
        alive = span.children_seconds()
        child.stdin.close()
        child.wait()
        ended = span.children_seconds()
    assert alive - before > 0.1
    assert ended >= alive - 0.02


@pytest.mark.parametrize(
    ("stat", "seconds"),
    [
        ("usage_usec 5\nnr_throttled 2\nthrottled_usec 2500000", 2.5),
        ("nr_periods 3\nnr_throttled 1\nthrottled_time 1500000000", 1.5),
        ("usage_usec 5", None),
        (None, None),
    ],
)
def test_both_versions_of_cgroups_tell_their_throttling(stat: str | None, seconds: float | None) -> None:
    assert span._throttled(stat) == seconds


def test_the_pools_name_library_version_threads_and_kernels() -> None:
    import numpy as np

    assert np.ones((2, 2)).sum() == 4
    blas = [pool for pool in threads.pools() if pool["user_api"] == "blas"]
    assert blas, "NumPy's BLAS is not known to threadpoolctl"
    assert {"internal_api", "version", "num_threads", "library"} <= set(blas[0])
    assert os.sep not in blas[0]["library"]


def test_threads_are_asked_by_the_first_variable_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert threads.asked({"internal_api": "openblas"}) == 4
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert threads.asked({"internal_api": "openblas"}) == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert threads.asked({"internal_api": "openmp"}) is None


def test_python_tells_its_version_and_its_gil() -> None:
    told = software.python()
    assert told["version"].startswith("3.")
    assert isinstance(told["gil"], bool)


def test_gpus_come_from_the_drivers_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "driver/nvidia/gpus/0000:01:00.0"
    folder.mkdir(parents=True)
    (folder / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 5\n")
    monkeypatch.setattr(hardware, "PROC", tmp_path)
    assert hardware.gpus(ask=False) == ["NVIDIA H200"]


@pytest.mark.parametrize("body", ["exit 9", "echo 'NVIDIA H200, 570.1'"])
def test_nvidia_smi_is_asked_where_the_files_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(hardware, "PROC", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert hardware.gpus(ask=True) == ([] if "exit" in body else ["NVIDIA H200, 570.1"])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "package").mkdir(parents=True)
    (root / "package" / "__init__.py").write_text("")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        run_git(root, *words)
    git._state.cache_clear()
    return root


def run_git(root: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(root), *who, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_checkout_tells_its_commit_and_whether_it_is_clean(checkout: Path) -> None:
    module = str(checkout / "package" / "__init__.py")
    head = run_git(checkout, "rev-parse", "HEAD")
    assert git.checkout(module) == {"commit": head, "dirty": False}
    Path(module).write_text("changed = True\n")
    git._state.cache_clear()
    assert git.checkout(module) == {"commit": head, "dirty": True}


def test_the_commit_is_found_detached_packed_and_in_a_work_tree(checkout: Path, tmp_path: Path) -> None:
    head = run_git(checkout, "rev-parse", "HEAD")
    run_git(checkout, "pack-refs", "--all")
    assert git.commit(checkout) == head
    run_git(checkout, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    assert git.commit(tmp_path / "tree") == head
    run_git(checkout, "checkout", "-q", "--detach")
    assert git.commit(checkout) == head


def test_an_installed_copy_inside_a_checkout_has_no_commit(checkout: Path) -> None:
    installed = checkout / ".venv/lib/python3.11/site-packages/thing/__init__.py"
    installed.parent.mkdir(parents=True)
    installed.write_text("")
    assert git.checkout(str(installed)) is None
    assert git.checkout(None) is None


def test_without_git_the_commit_is_still_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert set(git.checkout(str(checkout / "package" / "__init__.py")) or {}) == {"commit"}
