"""The barrier in shared memory, between threads that each have their own side of it."""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Callable

import pytest
from harness_shm import barrier, futex
from harness_shm.barrier import Barrier, control_size


def _nothing() -> None:
    """Everybody is alive."""


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_nobody_passes_before_all_have_come(workers: int) -> None:
    memory = mmap.mmap(-1, control_size(workers))
    passed = [0] * workers
    lead: list[int] = []

    def work(rank: int) -> None:
        own = Barrier(memory, rank, workers, _nothing)
        for count in range(1, 31):
            own.wait()
            passed[rank] = count
            lead.append(count - min(passed))
            own.wait()

    _together(workers, work)
    assert passed == [30] * workers
    assert max(lead) <= 1


def test_one_that_waits_long_sleeps_and_is_woken() -> None:
    memory = mmap.mmap(-1, control_size(2))
    shares: list[float] = []

    def work(rank: int) -> None:
        own = Barrier(memory, rank, 2, _nothing)
        own.wait()
        if rank == 0:
            time.sleep(0.5)
        began, used = time.monotonic(), time.thread_time()
        own.wait()
        shares.append((time.thread_time() - used) / max(time.monotonic() - began, 0.5))

    _together(2, work)
    assert max(shares) < 0.5, "a thread that waits looks on instead of sleeping"


def test_one_that_waits_for_the_dead_learns_it() -> None:
    memory = mmap.mmap(-1, control_size(2))

    def dead() -> None:
        raise EOFError("gone")

    with pytest.raises(EOFError, match="gone"):
        Barrier(memory, 0, 2, dead).wait()


def test_without_a_futex_it_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(futex, "_NUMBER", None)
    monkeypatch.setattr(barrier, "LOOKS", 0)
    memory = mmap.mmap(-1, control_size(2))

    def work(rank: int) -> None:
        own = Barrier(memory, rank, 2, _nothing)
        for _ in range(3):
            time.sleep(0.02 * rank)
            own.wait()

    _together(2, work)


def _together(workers: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
