"""What is special about ``shm``: processes that come, share and go; numbers are for the conformance suite."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from harness_shm.backend import ShmBackend
from harness_shm.team import WorkerLostError

from harness import Network, Unavailable, initial_parameters
from harness.plugin import reference

NETWORK = Network.dense([6, 9, 4], activation=["tanh", "sigmoid"], dtype="float64")
LARGE = Network.dense([256, 512, 64])


def _backend(workers: int, network: Network = NETWORK, rows: int = 7) -> ShmBackend:
    backend = ShmBackend(network, initial_parameters(network), workers=workers)
    random = np.random.default_rng(1)
    x, y = random.standard_normal((rows, network.inputs)), random.random((rows, network.outputs))
    backend.load(x.astype(network.dtype), y.astype(network.dtype))
    return backend


def _children() -> list[psutil.Process]:
    """Return the children of this process that this test has started."""
    return [child for child in psutil.Process().children() if child not in _earlier]


_earlier: list[psutil.Process] = []


@pytest.fixture(autouse=True)
def _know_what_other_tests_left() -> None:
    """Other plugins' tests may run in this process before, and some libraries keep a helper process."""
    _earlier[:] = psutil.Process().children()


def _names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()} if Path(folder).is_dir() else set()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_one_worker_is_this_process_and_the_others_are_children(workers: int) -> None:
    with _backend(workers):
        assert len(_children()) == workers - 1
    assert not _children()


def test_a_child_killed_between_two_epochs_ends_in_an_error_that_names_it() -> None:
    with _backend(3) as backend:
        _children()[1].kill()
        with pytest.raises(WorkerLostError, match=r"worker 2 \(process \d+\) was killed by SIGKILL"):
            backend.train_epoch(2, 0.1)
        with pytest.raises(WorkerLostError, match="SIGKILL"):
            backend.step(0.1)
    assert not _children()


def _train_long(backend: ShmBackend) -> None:
    for _ in range(1000):
        backend.train_epoch(10, 0.1)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_killed_in_the_middle_of_an_epoch_ends_in_an_error(sent: signal.Signals) -> None:
    with _backend(2, LARGE, 20_000) as backend:
        backend.train_epoch(500, 0.1)

        def kill() -> None:
            time.sleep(0.05)
            victim.send_signal(sent)

        (victim,) = _children()
        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(WorkerLostError, match=sent.name):
            _train_long(backend)
        killer.join()
    assert not _children()


def test_a_child_that_is_gone_before_the_first_load_ends_in_an_error() -> None:
    with ShmBackend(NETWORK, initial_parameters(NETWORK), workers=2) as backend:
        _children()[0].kill()
        with pytest.raises(WorkerLostError, match="worker 1"):
            backend.load(np.zeros((3, 6)), np.zeros((3, 4)))


PROGRAM = """
import os, sys
import numpy as np
from harness import Network, initial_parameters
from harness_shm.backend import ShmBackend
network = Network.dense([64, 128, 8])
backend = ShmBackend(network, initial_parameters(network), workers=3)
backend.load(np.zeros((4000, 64), np.float32), np.zeros((4000, 8), np.float32))
print("ready", flush=True)
{then}
"""


def _program(then: str) -> subprocess.Popen[str]:
    """Start the program, which has no main guard."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(then=then)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("then", ["sys.stdin.read()", "while True: backend.train_epoch(16, 0.1)"])
def test_children_of_a_killed_parent_end_and_leave_nothing(then: str) -> None:
    before = _names("/dev/shm")
    with _program(then) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        children = psutil.Process(parent.pid).children()
        assert len(children) == 2
        time.sleep(0.1)
        parent.kill()
        _, alive = psutil.wait_procs(children, timeout=60)  # they end at once; a busy machine may not
        assert not alive
    assert not [name for name in _names("/dev/shm") - before if "harness" in name]


def test_a_program_needs_no_main_guard_and_keeps_its_standard_input() -> None:
    with _program("backend.train_epoch(100, 0.1); backend.close(); print(sys.stdin.read())") as program:
        out, _ = program.communicate("what I was told", timeout=240)
    assert out == "ready\nwhat I was told\n"
    assert program.returncode == 0


def test_a_later_set_may_be_larger_and_its_memory_replaces_the_first() -> None:
    random = np.random.default_rng(5)
    with _backend(2) as backend:
        files = len(_names("/proc/self/fd"))
        start = backend.parameters()
        for rows in (50, 4000, 3):
            x, y = random.standard_normal((rows, 6)), random.random((rows, 4))
            backend.load(x, y)
            backend.train_epoch(32, 0.1)
            start = reference.train_epoch(NETWORK, start, x, y, 32, 0.1)
            for got, want in zip(backend.parameters(), start, strict=True):
                np.testing.assert_allclose(got[0], want[0], atol=1e-10)
                np.testing.assert_allclose(got[1], want[1], atol=1e-10)
        assert len(_names("/proc/self/fd")) <= files + 1  # the set, and the buffers that the first epoch needs
        assert len(_names(f"/proc/{_children()[0].pid}/fd")) <= 10


def test_close_gives_every_file_back_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        before = len(_names("/proc/self/fd"))
        for _ in range(3):
            with _backend(2) as backend:
                backend.train_epoch(4, 0.1)
        assert len(_names("/proc/self/fd")) == before
    finally:
        gc.enable()


def test_an_error_in_a_child_is_told_by_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent sends rows that are not there: the child's map is too small for them."""
    with _backend(2) as backend:
        team = backend._team
        assert team is not None
        monkeypatch.setattr(team.member, "attach_set", lambda *_: None)
        with pytest.raises(WorkerLostError, match=r"worker 1 .* raised ValueError"):
            team.attach("set", 1000, 64)
    assert not _children()


def test_an_error_in_the_parents_part_ends_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    with _backend(2) as backend:
        team = backend._team
        assert team is not None
        monkeypatch.setattr(team.member, "carry_out", lambda _: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            backend.step(0.1)
        with pytest.raises(WorkerLostError, match="ended after ZeroDivisionError"):
            backend.step(0.1)
        assert not _children()


def test_a_closed_backend_says_so() -> None:
    backend = _backend(2)
    backend.close()
    for use in (lambda: backend.train_epoch(4, 0.1), backend.parameters, lambda: backend.step(0.1)):
        with pytest.raises(WorkerLostError, match="closed"):
            use()


def test_no_child_is_started_for_kernels_that_are_not_in_force() -> None:
    with pytest.raises(Unavailable, match="NoSuchCore"):
        ShmBackend(NETWORK, initial_parameters(NETWORK), workers=2, kernels="NoSuchCore")
    assert not _children()
