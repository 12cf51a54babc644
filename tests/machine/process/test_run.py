"""What ``run`` promises of a child that behaves, of its launcher, and of its own end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RequestError
from harness.machine.process import child
from tests.machine.process.conftest import Lab

RANKS = (sys.executable, str(Path(__file__).with_name("ranks.py")), "3")


def test_news_come_in_order_and_the_last_result_counts(lab: Lab) -> None:
    heard: list[dict[str, Any]] = []
    ended = lab.run("news", on_message=heard.append)
    assert heard == [{"type": "count", "number": number} for number in range(3)]
    assert ended.message == {"last": True}
    assert lab.rest() == ([], [])


def test_the_channel_is_taken_out_of_the_childs_environment(lab: Lab) -> None:
    ended = lab.run("show_environment")
    assert ended.message is not None
    added = set(ended.message["variables"]) - set(lab.environment)
    assert added <= {"HARNESS_GUARD", "LC_CTYPE"}


def test_variables_that_are_no_text_reach_the_child(lab: Lab) -> None:
    odd = os.fsdecode(b"\xff\n=\xe9")
    ended = lab.run("show_environment", environment={**lab.environment, "ODD": odd})
    assert ended.message is not None
    assert ended.message["variables"]["ODD"] == odd


def test_a_guardian_that_cannot_be_started_is_said(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    ended = lab.run("exit_at_once")
    assert ended.exit_code == 127
    assert "cannot start a guardian" in ended.reason


def test_a_child_keeps_to_its_cpus(lab: Lab) -> None:
    one = min(os.sched_getaffinity(0))
    ended = lab.run("show_environment", cpus=frozenset({one}))
    assert ended.message is not None
    assert ended.message["cpus"] == [one]
    assert os.sched_getaffinity(0) != {one} or os.cpu_count() == 1


def test_cpu_time_is_that_of_all_processes(lab: Lab) -> None:
    ended = lab.run("print_much")
    assert 0 < ended.cpu_seconds <= (os.cpu_count() or 1) * ended.seconds + 0.1


def test_children_of_several_threads_do_not_mix(lab: Lab) -> None:
    deeds = ("news", "segfault", "fork_ten", "exit_politely") * 2
    with ThreadPoolExecutor(len(deeds)) as pool:
        found = list(pool.map(lab.run, deeds))
    assert [ended.state for ended in found] == ["ended", "crashed", "ended", "ended"] * 2
    assert [ended.message for ended in found] == [{"last": True}, None, {"deed": "done"}, None] * 2
    assert lab.rest() == ([], [])


def test_a_launcher_that_is_missing_is_named(lab: Lab) -> None:
    ended = lab.run("exit_at_once", words=("no-such-launcher", "-n", "2"))
    assert (ended.state, ended.exit_code) == ("ended", 127)
    assert "no-such-launcher" in ended.reason
    assert lab.rest() == ([], [])


def test_a_folder_that_cannot_be_made_is_said(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(lab.folder / "missing"))
    ended = lab.run("exit_at_once")
    assert ended.exit_code == 127
    assert "No such file or directory" in ended.reason
    assert "missing" in ended.reason


def test_a_child_that_is_signalled_with_all_the_rest_was_interrupted(lab: Lab) -> None:
    stop = threading.Event()
    ended = lab.run("terminate_itself", stop=stop, on_message=lambda _: _soon(stop))
    assert (ended.state, ended.signal) == ("interrupted", None)


def _soon(stop: threading.Event) -> None:
    """Set the event when the child is about to end by a signal, too late for the guardian to hear of it first."""
    time.sleep(0.6)
    stop.set()


def test_a_parent_that_ignores_its_children_still_learns_how_they_end(lab: Lab) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert lab.run("segfault").signal == "SIGSEGV"
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_an_exception_of_a_listener_ends_the_child_and_is_raised(lab: Lab) -> None:
    def refuse(message: dict[str, Any]) -> None:
        raise ValueError(message["number"])

    with pytest.raises(ValueError, match="0"):
        lab.run("news", on_message=refuse)
    assert lab.rest() == ([], [])


@pytest.mark.parametrize("deed", ["sleep", "ignore_terminate", "fork_ten_and_hang", "hang_in_c"])
def test_stop_ends_the_child_as_interrupted(lab: Lab, deed: str) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    assert lab.run(deed, stop=stop).state == "interrupted"
    assert lab.rest() == ([], [])


def test_every_rank_of_a_launcher_receives_and_all_are_ended(lab: Lab) -> None:
    assert lab.run("news", words=RANKS).message == {"last": True}
    assert lab.run("fork_ten_and_hang", words=RANKS, seconds=1.5).state == "timeout"
    assert lab.rest() == ([], [])


@pytest.mark.parametrize(
    ("name", "words"), [("mpiexec", ("-n", "2")), ("torchrun", ("--nproc-per-node", "2", "--no-python"))]
)
def test_ranks_of_real_launchers_are_all_ended(lab: Lab, name: str, words: tuple[str, ...]) -> None:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is not installed")
    heard: list[dict[str, Any]] = []
    both = threading.Event()

    def hear(message: dict[str, Any]) -> None:
        heard.append(message)
        if len(heard) == 2:
            both.set()

    ended = lab.run("ignore_terminate", words=(found, *words), seconds=60.0, on_message=hear, stop=both)
    assert (ended.state, len(heard)) == ("interrupted", 2), ended
    assert lab.alive() == []


@pytest.mark.parametrize("deed", ["sleep", "fork_ten_and_hang", "hang_in_c", "stop_itself", "eat_memory_together"])
def test_a_parent_that_is_killed_leaves_nothing_for_two_seconds(lab: Lab, deed: str) -> None:
    parent = subprocess.Popen([sys.executable, "-m", "tests.machine.process.parent", deed], env=lab.environment)
    _wait_for(lambda: len(lab.rest()[1]) == 1 and len(lab.alive()) >= 3)
    time.sleep(0.1)
    parent.kill()
    parent.wait()
    assert lab.quiet_within(2.0), lab.rest()


def test_control_c_at_a_parent_ends_the_child(lab: Lab) -> None:
    words = [sys.executable, "-m", "tests.machine.process.parent", "ignore_terminate"]
    parent = subprocess.Popen(words, env=lab.environment, stderr=subprocess.PIPE)
    _wait_for(lambda: len(lab.rest()[1]) == 1)
    parent.send_signal(signal.SIGINT)
    _, err = parent.communicate(timeout=240)
    assert b"KeyboardInterrupt" in err
    assert lab.rest() == ([], [])


def _wait_for(condition: Any) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_worker_started_by_hand_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(child.VARIABLE, raising=False)
    with pytest.raises(RequestError, match="never by hand"):
        child.receive()
    with pytest.raises(RequestError, match="call receive first"):
        child.deliver({})


def test_a_rank_that_cannot_see_the_folder_says_what_to_do(lab: Lab) -> None:
    variables = {**lab.environment, child.VARIABLE: "token:/no/such/folder"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.machine.process.deeds"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ranks on several machines need a TMPDIR that all of them share" in done.stderr
