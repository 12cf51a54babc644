"""Manners: the threads that a backend uses, and what it leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from harness.conformance.lives import whole_life
from harness.conformance.problems import Case, Problem
from harness.conformance.subject import Subject, fail
from harness.conformance.target import Target
from harness.conformance.traces import PROC, WINDOW, Holding, Sampler, holding, settled, thread_limits
from harness.contract.arrays import Parameters
from harness.contract.network import Network

pytestmark = pytest.mark.manners

Opened = Callable[[Network, Parameters], Subject]
on_linux = pytest.mark.skipif(not PROC.exists(), reason="needs Linux's /proc to look at threads and files")


@on_linux
def test_it_keeps_to_its_threads(target: Target, opened: Opened) -> None:
    if target.options.get("device", "cpu") != "cpu":
        pytest.skip("the threads of a device are its own")
    limit = 1 if target.spec.launcher else target.workers
    epoch = _busy(target, opened)
    time.sleep(0.2)  # a library's idle threads spin for a while after their last use
    with Sampler() as sampler:
        _repeat(epoch, ranks=target.spec.launcher is not None)
    if len(sampler.counts) >= 10 and sampler.share_above(limit) > 0.5:
        fail(
            f"{sampler.usual} threads were busy at once in most samples of an epoch, allowed {limit}: "
            "set the library's threads in the spec's environment, or limit them in __init__"
        )


def _busy(target: Target, opened: Opened) -> Callable[[], None]:
    """Return an epoch worth watching: large enough for a library to use threads, if the backend is quick enough."""
    sizes = [(32, 32, 8), (256, 256, 8)]
    if target.spec.launcher:
        sizes.pop()  # ranks may not choose by the clock: each would choose for itself
    for size in sizes:
        problem = Case(sizes=size, rows=size[0], dtype="float32").problem()
        subject = opened(problem.network, problem.start)
        subject.load(problem.x, problem.y)
        subject.train_epoch(len(problem.x), 0.01)
        began = time.perf_counter()
        subject.train_epoch(len(problem.x), 0.01)
        if time.perf_counter() - began > 0.001:
            break
    return lambda: subject.train_epoch(len(problem.x), 0.01)


def _repeat(epoch: Callable[[], None], *, ranks: bool) -> None:
    if ranks:
        for _ in range(200):
            epoch()
        return
    deadline = time.perf_counter() + WINDOW
    while time.perf_counter() < deadline:
        epoch()


@on_linux
@pytest.mark.parametrize("what", ["threads", "processes", "files", "shared"])
def test_nothing_is_left_after_close(target: Target, what: str) -> None:
    problem = Case().problem()
    for _ in range(2):  # what a library sets up once a process is not left over
        _born_and_closed(target, problem)
    before = settled(lambda _: False, 0.05)
    gained = _gained(target, problem, what, before)
    if gained:
        names = {"threads": "threads", "processes": "child processes", "files": "open file descriptors",
                 "shared": "entries in /dev/shm"}  # fmt: skip
        fail(f"3 more lives left {gained} more {names[what]} after close, allowed 0")


@on_linux
def test_a_failed_start_gives_back_what_it_took(target: Target) -> None:
    problem, limits = Case().problem(), thread_limits()
    for _ in range(2):  # what a library sets up once a process is not left over
        _fail_to_start(target, problem)
    before = settled(lambda _: False, 0.05)
    for _ in range(3):
        _fail_to_start(target, problem)
    after = settled(lambda now: _held(now) <= _held(before) and now.shared <= before.shared)
    names = ("threads", "child processes", "open file descriptors")
    for name, allowed, count in zip(names, _held(before), _held(after), strict=True):
        if count - allowed >= 3:
            fail(f"3 failed calls of __init__ left {count - allowed} more {name}, allowed 0")
    if len(after.shared - before.shared) >= 3:
        fail(f"3 failed calls of __init__ left {len(after.shared - before.shared)} more entries in /dev/shm, allowed 0")
    now = {library: limit for library, limit in thread_limits().items() if library in limits}
    if now != limits:
        fail(f"after a failed __init__ the thread limits of the libraries are {now}, should be {limits} as before it")


def _held(holding: Holding) -> tuple[int, int, int]:
    return holding.threads, holding.processes, holding.files


def _fail_to_start(target: Target, problem: Problem) -> None:
    """Call ``__init__`` with start weights and with a number of workers that the base class refuses."""
    wrong = [(weights[:, :1], bias) for weights, bias in problem.start]
    for start, workers in ((wrong, target.workers), (problem.start, 0)):
        try:
            backend = target.cls(problem.network, start, workers=workers, **target.options)
        except Exception:  # noqa: BLE001, S112  another check looks whether it is refused; this one, at what is left
            continue
        backend.close()


def _gained(target: Target, problem: Problem, what: str, before: Holding) -> int:
    """Return how much was left by three lives; in shared memory only what every one of them left counts as ours."""
    if what == "shared":
        left = [_left_in_memory(target, problem) for _ in range(3)]
        return sum(map(len, left)) if all(left) else 0
    for _ in range(3):
        _born_and_closed(target, problem)
    allowed: int = getattr(before, what)
    after: int = getattr(settled(lambda now: getattr(now, what) <= allowed), what)
    return max(0, after - allowed) if after - allowed >= 3 else 0


def _left_in_memory(target: Target, problem: Problem) -> frozenset[str]:
    before = holding().shared
    _born_and_closed(target, problem)
    return settled(lambda now: now.shared <= before, 0.5).shared - before


def _born_and_closed(target: Target, problem: Problem) -> None:
    subject = Subject(target, problem.network, problem.start)
    try:
        whole_life(subject, problem)
    finally:
        subject.close()
