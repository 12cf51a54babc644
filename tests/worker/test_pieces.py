from __future__ import annotations

import gc
import time
from collections.abc import Callable

import numpy as np
import pytest

from harness.contract.arrays import Array
from harness.contract.network import Network
from harness.errors import PluginError
from harness.plan.cell import Cell
from harness.worker import clock
from harness.worker.evaluation import accuracy, evaluate, threshold
from harness.worker.failure import LONGEST, outcome
from harness.worker.problem import prepare
from tests.worker.plain_backends import Plain


def test_only_sets_too_small_for_the_clock_are_repeated() -> None:
    tiny, papers = Network.dense([4, 3, 1]), Network.dense([784, 1024, 10])
    assert clock.repeats(tiny, 8, 8) == 50
    assert clock.repeats(papers, 60000, 60000) == 1
    assert clock.repeats(tiny, 1000, 1) == 1


def test_a_repeated_sample_is_the_mean_of_its_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10**12, 6_000_000))
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))

    class Counted:
        trained = synced = 0

        def train_epoch(self, _batch: int, _rate: float) -> None:
            self.trained += 1

        def sync(self) -> None:
            self.synced += 1

    backend = Counted()
    assert clock.samples(backend, 8, 0.1, count=2, repeat=3) == [0.002, 0.002]  # type: ignore[arg-type]
    assert (backend.trained, backend.synced) == (6, 6)


def test_the_collector_stays_on_under_the_clock() -> None:
    with clock.settled():
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(("last", "middle"), [("sigmoid", 0.5), ("tanh", 0.0), ("linear", 0.5), ("relu", 0.5)])
def test_one_output_is_split_at_the_middle_of_its_range(last: str, middle: float) -> None:
    network = Network.dense([2, 1], activation=last)
    outputs = np.array([[middle + 0.1], [middle - 0.1], [middle + 0.1], [middle - 0.1]], np.float32)
    y = np.array([[1], [0], [0], [0]], np.float32)
    assert threshold(network) == middle
    assert accuracy(network, outputs, y) == 0.75


def test_several_outputs_are_judged_by_the_largest() -> None:
    outputs = np.array([[0.1, 0.9, 0.2], [0.5, 0.1, 0.4]], np.float32)
    y = np.array([[0, 1, 0], [0, 0, 1]], np.float32)
    assert accuracy(Network.dense([2, 3]), outputs, y) == 0.5


def test_evaluation_in_slices_is_evaluation_at_once(cell: Callable[..., Cell]) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.random((50, 64)), np.eye(10)[generator.integers(0, 10, 50)]
    problem = prepare(cell(), x, y)
    with Plain(problem.network, problem.fresh_start()) as backend:
        backend.load(problem.x, problem.y)
        whole, sliced = evaluate(backend, problem.y, 50), evaluate(backend, problem.y, 7)
    assert sliced.loss == pytest.approx(whole.loss, rel=1e-6)
    assert sliced.accuracy == whole.accuracy


def test_outputs_of_the_wrong_shape_are_refused(cell: Callable[..., Cell]) -> None:
    class OneRow(Plain):
        def outputs(self) -> Array:
            return super().outputs()[:1]

    problem = prepare(cell(), np.ones((50, 64)), np.ones((50, 10)))
    with OneRow(problem.network, problem.fresh_start()) as backend:
        backend.load(problem.x, problem.y)
        with pytest.raises(PluginError, match=r"shape \(1, 10\)"):
            evaluate(backend, problem.y, 8)


def test_shuffling_is_one_permutation_by_the_seed(cell: Callable[..., Cell]) -> None:
    x, y = np.arange(40.0).reshape(40, 1), np.arange(40.0).reshape(40, 1)
    one, same = (prepare(cell(shuffle=True, network=Network.dense([1, 1])), x, y) for _ in range(2))
    other = prepare(cell(shuffle=True, seed=4, network=Network.dense([1, 1])), x, y)
    assert np.array_equal(one.x, same.x)
    assert np.array_equal(one.x, one.y)
    assert sorted(one.x[:, 0]) == sorted(x[:, 0])
    assert not np.array_equal(one.x, x.astype(np.float32))
    assert not np.array_equal(one.x, other.x)


def test_a_reason_is_one_line_of_bounded_length() -> None:
    _, reason = outcome(RuntimeError("line\n" * 5000))
    assert "\n" not in reason
    assert len(reason) <= LONGEST + 1


def test_spent_memory_is_seen_behind_the_error_that_tells_of_it() -> None:
    told = PluginError("dataset 'synthetic': load failed")
    told.__cause__ = MemoryError("44.7 GiB")
    assert outcome(told)[0] == "out-of-memory"
    told.__cause__ = ValueError("44.7 GiB")
    assert outcome(told)[0] == "error"
