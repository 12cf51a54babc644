"""Manners: how many threads a backend uses, and what it leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from harness.conformance.cases import Case, Exercise
from harness.conformance.subject import Subject, fail, whole_life
from harness.conformance.target import Target
from harness.conformance.traces import PROC, WINDOW, Holding, ThreadSampler, holding, settled, thread_limits
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
    time.sleep(0.2)  # a library's idle threads keep spinning for a while
    with ThreadSampler() as sampler:
        _repeat(epoch, ranks=target.spec.launcher is not None)
    if len(sampler.counts) >= 10 and sampler.share_above(limit) > 0.5:
        fail(
            f"{sampler.usual} threads were busy at once in most samples of an epoch, allowed {limit}: "
            "set the library's threads in the spec's environment, or limit them in __init__"
        )


def _busy(target: Target, opened: Opened) -> Callable[[], None]:
    """Return an epoch to watch: large enough for a library to use threads, unless the backend is too slow for that."""
    sizes = [(32, 32, 8), (256, 256, 8)]
    if target.spec.launcher:
        sizes.pop()  # ranks must not choose by the clock, because each would choose by its own
    for size in sizes:
        exercise = Case(sizes=size, rows=size[0], dtype="float32").exercise()
        subject = opened(exercise.network, exercise.start)
        subject.load(exercise.x, exercise.y)
        subject.train_epoch(len(exercise.x), 0.01)
        began = time.perf_counter()
        subject.train_epoch(len(exercise.x), 0.01)
        if time.perf_counter() - began > 0.001:
            break
    return lambda: subject.train_epoch(len(exercise.x), 0.01)


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
    exercise = Case().exercise()
    for _ in range(2):  # what a library keeps once in a process is not left over
        _born_and_closed(target, exercise)
    before = settled(lambda _: False, 0.05)
    gained = _gained(target, exercise, what, before)
    if gained:
        names = {"threads": "threads", "processes": "child processes", "files": "open file descriptors",
                 "shared": "entries in /dev/shm"}  # fmt: skip
        fail(f"3 more lives left {gained} more {names[what]} after close, allowed 0")


@on_linux
def test_a_failed_start_gives_back_what_it_took(target: Target) -> None:
    exercise, limits = Case().exercise(), thread_limits()
    for _ in range(2):  # what a library keeps once in a process is not left over
        _fail_to_start(target, exercise)
    before = settled(lambda _: False, 0.05)
    for _ in range(3):
        _fail_to_start(target, exercise)
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


def _fail_to_start(target: Target, exercise: Exercise) -> None:
    """Call ``__init__`` with start weights and with a number of workers that the base class refuses."""
    wrong = [(weights[:, :1], bias) for weights, bias in exercise.start]
    for start, workers in ((wrong, target.workers), (exercise.start, 0)):
        try:
            backend = target.cls(exercise.network, start, workers=workers, **target.options)
        except Exception:  # noqa: BLE001, S112  another check asks whether it is refused; this one looks at what is left
            continue
        backend.close()


def _gained(target: Target, exercise: Exercise, what: str, before: Holding) -> int:
    """Return how much three instances left behind; in shared memory it counts only if each of them left something."""
    if what == "shared":
        left = [_left_in_memory(target, exercise) for _ in range(3)]
        return sum(map(len, left)) if all(left) else 0
    for _ in range(3):
        _born_and_closed(target, exercise)
    allowed: int = getattr(before, what)
    after: int = getattr(settled(lambda now: getattr(now, what) <= allowed), what)
    return max(0, after - allowed) if after - allowed >= 3 else 0


def _left_in_memory(target: Target, exercise: Exercise) -> frozenset[str]:
    before = holding().shared
    _born_and_closed(target, exercise)
    return settled(lambda now: now.shared <= before, 0.5).shared - before


def _born_and_closed(target: Target, exercise: Exercise) -> None:
    subject = Subject(target, exercise.network, exercise.start)
    try:
        whole_life(subject, exercise)
    finally:
        subject.close()
