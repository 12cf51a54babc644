"""How a backend's process is started: what its plugin says is checked, and its CPUs are chosen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.contract.environment import Options, one_library_thread
from harness.contract.spec import BackendSpec
from harness.errors import PluginError, Unavailable
from harness.machine import cores as machine
from harness.machine.launch import confined, launch


def _spec(**fields: Any) -> BackendSpec:
    base = {"api": 1, "name": "fake", "implementation": "fake:Fake", "summary": "a fake", "parallel": "none"}
    return BackendSpec(**{**base, "algebra": "blas", **fields})


def _raise(*_: object) -> Any:
    raise KeyError("nothing")


def _unavailable(*_: object) -> Any:
    raise Unavailable("no launcher here")


def _ranks(workers: int, options: Options, hosts: Sequence[str]) -> Sequence[str]:
    return ["mpiexec", "-n", str(workers), *(["-hosts", ",".join(hosts)] if hosts else []), *map(str, options)]


def test_the_environment_is_complete_and_has_the_backends_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "yes")
    monkeypatch.setenv("GONE", "yes")
    found = launch(_spec(environment=lambda workers, _: {"GONE": None, "ADDED": str(workers)}), 3, {})
    assert found.environment["KEPT"] == "yes"
    assert found.environment["ADDED"] == "3"
    assert "GONE" not in found.environment
    assert launch(_spec(environment=one_library_thread), 3, {}).environment["OMP_NUM_THREADS"] == "1"
    assert "ADDED" not in os.environ


def test_a_launcher_gives_its_words() -> None:
    found = launch(_spec(launcher=_ranks), 2, {"mode": "ring"}, ["a", "b"])
    assert found.words == ("mpiexec", "-n", "2", "-hosts", "a,b", "mode")
    assert launch(_spec(), 2, {}).words == ()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"environment": _raise}, "environment(1, {}) raised KeyError"),
        ({"environment": lambda *_: {"A": 1}}, "gave 'A': 1"),
        ({"environment": lambda *_: {1: "A"}}, "gave 1: 'A'"),
        ({"environment": lambda *_: None}, "raised TypeError"),
        ({"launcher": _raise}, "launcher(1, {}, []) raised KeyError"),
        ({"launcher": lambda *_: [1]}, "every word must be a string"),
    ],
)
def test_a_plugin_that_says_nonsense_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(PluginError) as caught:
        launch(_spec(**fields), 1, {})
    assert words in str(caught.value)
    assert "backend 'fake'" in str(caught.value)


@pytest.mark.parametrize("field", ["environment", "launcher"])
def test_a_plugin_may_say_that_it_is_not_available(field: str) -> None:
    with pytest.raises(Unavailable, match="no launcher here"):
        launch(_spec(**{field: _unavailable}), 1, {})


def test_a_device_cell_may_use_every_cpu() -> None:
    assert launch(_spec(), 1, {"device": "cuda"}).cpus is None
    assert launch(_spec(), 1, {"device": "cpu"}).cpus == confined(1)


def test_more_workers_than_cores_get_all_cores() -> None:
    assert confined(10_000) == frozenset(os.sched_getaffinity(0))
    one = confined(1)
    assert one is not None
    assert len(one) == 1


def test_whole_cores_come_before_second_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu, siblings in {0: "0-1", 1: "0-1", 2: "2,6", 6: "2,6"}.items():
        folder = tmp_path / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{siblings}\n")
    monkeypatch.setattr(machine, "TOPOLOGY", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 6, 7})
    assert confined(2) == frozenset({0, 2})
    assert confined(3) == frozenset({0, 2, 7})
    assert confined(4) == frozenset({0, 1, 2, 7})


def test_a_system_that_cannot_bind_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert confined(1) is None
