"""What is special about ``threads``; that it computes the right thing is the conformance suite's business."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from harness_blas.parts import Worker, in_force, share
from harness_threads import team_threads
from harness_threads.backend import ThreadsBackend
from harness_threads.team import Fork, Pool, Team

from harness import Array, Network, RequestError, Unavailable, initial_parameters
from harness.plugin import cores, reference

NETWORK = Network.dense([6, 9, 4], activation=["tanh", "sigmoid"], dtype="float64")


def _backend(workers: int, **options: str | int) -> ThreadsBackend:
    backend = ThreadsBackend(NETWORK, initial_parameters(NETWORK), workers=workers, **options)  # type: ignore[arg-type]
    random = np.random.default_rng(1)
    backend.load(random.standard_normal((7, 6)), random.random((7, 4)))
    return backend


@pytest.fixture(params=[Pool, Fork])
def team(request: pytest.FixtureRequest) -> Iterator[Team]:
    made: Team = request.param(3)
    yield made
    made.close()


def _refusing(why: str) -> object:
    """Return a ``Thread.start`` that fails the second time."""
    start, started = threading.Thread.start, list[threading.Thread]()

    def refuse(thread: threading.Thread) -> None:
        started.append(thread)
        if len(started) == 2:
            raise RuntimeError(why)
        start(thread)

    return refuse


@pytest.mark.parametrize("kind", [Pool, Fork])
def test_a_thread_that_cannot_be_started_leaves_no_other_waiting(
    kind: type[Team], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    monkeypatch.setattr(threading.Thread, "start", _refusing("can't start new thread"))

    def made_and_run() -> None:
        made = kind(3)
        made.run(lambda _number: [made.barrier.wait()].clear())

    with pytest.raises(RuntimeError, match="can't start"):
        made_and_run()
    assert set(threading.enumerate()) <= before


def test_a_caller_that_is_interrupted_takes_every_member_home(team: Team) -> None:
    def work(number: int) -> None:
        if number == 0:
            raise KeyboardInterrupt
        team.barrier.wait()

    with pytest.raises(KeyboardInterrupt):
        team.run(work)
    seen: list[int] = []
    team.run(seen.append)
    assert sorted(seen) == [0, 1, 2]


def test_every_member_does_its_part(team: Team) -> None:
    seen: list[int] = []
    team.run(seen.append)
    assert sorted(seen) == [0, 1, 2]


@pytest.mark.parametrize("culprit", [0, 1, 2])
def test_a_member_that_raises_ends_in_its_error_and_not_in_a_hang(team: Team, culprit: int) -> None:
    def work(number: int) -> None:
        if number == culprit:
            raise ZeroDivisionError("mine")
        team.barrier.wait()

    with pytest.raises(ZeroDivisionError, match="mine"):
        team.run(work)
    again: list[int] = []
    team.run(again.append)
    assert len(again) == 3


def test_a_pool_keeps_its_threads_and_a_fork_has_none_between_two_batches() -> None:
    before = threading.active_count()
    pool = _backend(3)
    fork = _backend(3, team="fork")
    for backend in (pool, fork):
        backend.train_epoch(4, 0.1)
    assert threading.active_count() == before + 2
    pool.close()
    fork.close()
    assert threading.active_count() == before


def test_an_error_in_one_thread_comes_out_of_train_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Worker, rows: slice) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError(f"no room for {rows}")

    with _backend(2) as backend:
        monkeypatch.setattr(Worker, "backward", broken)
        with pytest.raises(MemoryError, match="no room"):
            backend.train_epoch(4, 0.1)


def test_a_closed_backend_says_so() -> None:
    backend = _backend(2)
    backend.close()
    with pytest.raises(RequestError, match="closed"):
        backend.train_epoch(4, 0.1)


@pytest.mark.parametrize(("workers", "blas_threads", "size"), [(4, 2, 2), (3, 2, 1), (1, 2, 1), (4, 1, 4), (2, 8, 1)])
def test_workers_are_divided_between_both_levels(workers: int, blas_threads: int, size: int) -> None:
    with _backend(workers, blas_threads=blas_threads) as backend:
        backend.train_epoch(4, 0.1)
        allowed = min(blas_threads, workers)
        assert backend.facts()["threads"] == size * min(allowed, cores())
        assert in_force() == min(allowed, cores())
        assert team_threads(workers, {"blas_threads": blas_threads})["OPENBLAS_NUM_THREADS"] == str(allowed)


def test_two_levels_at_once_give_right_numbers_through_products_of_every_transpose() -> None:
    """Large enough for OpenBLAS to thread every product."""
    network = Network.dense([300, 400, 300], dtype="float64")
    start = initial_parameters(network)
    random = np.random.default_rng(2)
    x, y = random.random((256, 300)), random.random((256, 300))
    expected = reference.train_epoch(network, start, x, y, 64, 0.5)
    with ThreadsBackend(network, start, workers=4, blas_threads=2) as backend:
        backend.load(x, y)
        backend.train_epoch(64, 0.5)
        for got, want in zip(backend.parameters(), expected, strict=True):
            np.testing.assert_allclose(got[0], want[0], atol=1e-12)
            np.testing.assert_allclose(got[1], want[1], atol=1e-12)


@pytest.mark.parametrize(("blas_threads", "at_once"), [(1, {2}), (2, {1})])
def test_threaded_products_take_turns_and_others_do_not(
    blas_threads: int, at_once: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every product waits a moment for company; with one BLAS thread it comes, with two it must not."""
    inside, most, matmul = [0], [0], np.matmul

    def watched(a: Array, b: Array, out: Array) -> Array:
        inside[0] += 1
        time.sleep(0.01)
        most[0] = max(most[0], inside[0])
        inside[0] -= 1
        return np.asarray(matmul(a, b, out=out))

    with _backend(2 * blas_threads, blas_threads=blas_threads) as backend:
        monkeypatch.setattr(np, "matmul", watched)
        backend.forward(slice(0, 7))
        backend.backprop(slice(0, 7))
        assert most[0] in at_once


def test_shares_are_even_and_leave_nothing_out() -> None:
    shares = [share(10, rank, 4) for rank in range(4)]
    assert [part.stop - part.start for part in shares] == [2, 3, 2, 3]
    assert [i for part in shares for i in range(part.start, part.stop)] == list(range(10))
    assert share(1, 0, 2) == slice(0, 0)


def test_an_unknown_team_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(RequestError, match="did you mean 'fork'"):
        _backend(2, team="forks")


def test_kernels_that_are_not_in_force_are_unavailable() -> None:
    with pytest.raises(Unavailable, match="NoSuchCore"):
        _backend(2, kernels="NoSuchCore")


def test_an_init_whose_threads_do_not_start_gives_its_blas_limit_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before, alive = in_force(), threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", _refusing("no more threads"))
    with pytest.raises(RuntimeError, match="no more threads"):
        _backend(3)
    assert (in_force(), threading.active_count()) == (before, alive)
