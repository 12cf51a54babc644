"""The doctor's words: each trouble is made up, and must be named with what to do about it."""

from __future__ import annotations

import json
import os
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.contract.registry import Registry, registry
from harness.contract.registry.faults import Fault, Source
from harness.errors import HarnessError
from harness.machine.doctor import libraries, system
from harness.machine.doctor.examination import examinations, examine, plugins
from harness.machine.doctor.finding import Finding, percent
from harness.machine.facts.span import Machine


def limit_at(inherited: float, best: float) -> Callable[..., dict[str, Any]]:
    def measured(threads: int, dtype: str, chosen: str, seconds: float) -> dict[str, Any]:
        assert threads == 1
        assert dtype == "float32"
        assert seconds > 0
        rate, kernels = (inherited, "Haswell") if chosen == "inherit" else (best, "SkylakeX")
        return {"gflops": 272.0, "blas_gflops": rate, "kernels": kernels, "blas": "openblas 0.3.31"}

    return measured


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_variable_that_halves_blas_is_named_with_the_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_limit", limit_at(126.0, 243.0))
    for name in libraries.CULPRITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    found = only(libraries.kernels())
    assert found.level == "warning"
    assert "half speed" in found.sentence
    assert "`OPENBLAS_CORETYPE=Haswell` is set" in found.sentence
    assert "1.93 times as fast" in found.sentence
    assert found.advice.startswith("unset OPENBLAS_CORETYPE")


def test_slow_kernels_that_nobody_asked_for_are_the_librarys_own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_limit", limit_at(100.0, 130.0))
    for name in libraries.CULPRITS:
        monkeypatch.delenv(name, raising=False)
    found = only(libraries.kernels())
    assert "77% of its speed" in found.sentence
    assert "chose Haswell kernels by itself" in found.sentence
    assert "newer NumPy" in found.advice


def test_the_best_kernels_are_a_plain_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_limit", limit_at(240.0, 243.0))
    assert only(libraries.kernels()).level == "fact"


def test_two_blas_libraries_in_one_process_are_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = {"user_api": "blas", "internal_api": "openblas", "version": "0.3", "num_threads": 2}
    monkeypatch.setattr(libraries, "_child", lambda *_: {"pools": [pool, pool]})
    monkeypatch.setattr(libraries, "steering", lambda: {"OMP_NUM_THREADS": "7"})
    first, second = libraries.pools()
    assert (first.level, second.level) == ("note", "note")
    assert "each bring a BLAS" in first.sentence
    assert "OMP_NUM_THREADS=7" in second.sentence


def test_a_child_without_an_answer_is_an_error_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "confined", lambda _count: None)
    with pytest.raises(HarnessError, match="no_such_module"):
        libraries._child("harness.no_such_module", {}, os.environ)


def test_a_quota_below_the_affinity_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "cpu_quota", lambda: 1.5)
    monkeypatch.setattr(system, "affinity", lambda: list(range(8)))
    monkeypatch.setattr(system, "threads_of_core", lambda _: [0, 1])
    _, quota, hyper = system.cores_found()
    assert quota.level == "warning"
    assert "1.5 CPUs of the 8" in quota.sentence
    assert "2 hardware threads" in hyper.sentence


@pytest.mark.parametrize(
    ("after", "levels"),
    [
        (Machine(busy=0.0, steal=0.0, total=1.0), ["fact"]),
        (Machine(busy=0.6, steal=0.0, total=1.0), ["warning"]),
        (Machine(busy=0.6, steal=0.1, total=1.0), ["warning", "warning"]),
    ],
)
def test_other_load_and_steal_are_warnings(monkeypatch: pytest.MonkeyPatch, after: Machine, levels: list[str]) -> None:
    looks = iter([Machine(0.0, 0.0, 0.0), after])
    monkeypatch.setattr(Machine, "read", classmethod(lambda _kind: next(looks)))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert [found.level for found in system.quiet()] == levels


def test_an_unsteady_core_is_a_warning_and_a_steady_one_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    for jitter, level in ((0.0, "fact"), (0.5, "warning")):
        beats = iter([1.0 + jitter * (number % 3 > 0) for number in range(system.BEATS)])
        monkeypatch.setattr(system, "_beat", lambda beats=beats: next(beats))
        monkeypatch.setattr(system, "text", lambda _path: None)
        assert only(system.frequency()).level == level


def test_a_powersave_governor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_beat", lambda: 1.0)
    monkeypatch.setattr(system, "text", lambda _path: "powersave")
    *_, governor = system.frequency()
    assert "powersave" in governor.sentence
    assert "never changes it" in governor.advice


def test_a_folder_without_room_or_permission_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = tmp_path / "not" / "there" / "results.db"
    assert only(system.disk(store)).level == "fact"
    usage = namedtuple("usage", "free")  # noqa: PYI024  a stand-in with one field
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage(3 << 20))
    assert "3 MiB are free" in only(system.disk(store)).sentence
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "cannot be written to" in only(system.disk(store)).sentence


def test_the_clock_resolves_something() -> None:
    assert only(system.clock()).figures["nanoseconds"] > 0


def test_plugins_that_do_not_load_are_named_with_the_next_step() -> None:
    source = Source("bad", "bad_module", "bad-dist", "1.0")
    broken = Registry({}, {}, {}, {}, (Fault(source, "ImportError: no module", "pip uninstall bad-dist"),))
    nothing, problem = plugins(broken)
    assert nothing.sentence == "no backend is ready to run"
    assert "bad-dist 1.0" in problem.sentence
    assert problem.advice == "pip uninstall bad-dist"


def test_every_installed_backend_is_ready_or_has_a_reason() -> None:
    told = " ".join(found.sentence for found in plugins(registry()))
    assert all(name in told for name in registry().backends)


def test_an_examination_that_fails_is_a_finding_and_ends_no_other() -> None:
    def failing() -> Iterator[Finding]:
        yield Finding("first", "fact", "fine")
        raise HarnessError("no child")

    found = list(examine({"first": failing, "second": lambda: iter([Finding("second", "fact", "fine too")])}))
    assert [one.sentence for one in found] == ["fine", "could not be examined: no child", "fine too"]


def test_quick_measures_no_matrix_products() -> None:
    assert {"blas", "peak"} == set(examinations(Path("x"))) - set(examinations(Path("x"), quick=True))


def test_the_command_prints_words_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--quick"]) == 0
    words = capsys.readouterr().out
    assert "cores" in words
    assert "\x1b" not in words
    assert main(["doctor", "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == 1
    assert {"cores", "clock", "disk"} <= {found["topic"] for found in told["findings"]}


def test_small_shares_keep_a_decimal() -> None:
    assert [percent(share) for share in (0.0, 0.013, 0.5)] == ["0%", "1.3%", "50%"]
