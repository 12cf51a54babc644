"""Sampling until decided, on made-up times: whoever looks often must not cry wolf more often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.plan.cell import Cell
from harness.report.compare import Thresholds
from harness.report.compare.error_rate import LEVEL, looks
from harness.report.compare.evidence import paired
from harness.report.compare.verdicts import Comparison
from harness.session.gate.sampling import Cells, Sampler
from harness.store import Stored
from tests.report.compare.made import noisy, stored
from tests.samples import a_cell

NARROW = Thresholds(default=1e-6)
MOST = 60


class Bench:
    """Stands for the machine: a second a pair, times from noise with a known truth."""

    def __init__(self, seed: int, factors: Sequence[float]) -> None:
        rng = np.random.default_rng(seed)
        made = [noisy(rng, MOST * len(factors) + 1) for _ in factors]
        self.times = [(before, after * factor) for (before, after), factor in zip(made, factors, strict=True)]
        self.pairs = [(a_cell(batch=1 + i), a_cell(batch=1 + i, backend="other")) for i in range(len(factors))]
        self.measured: list[tuple[int, int]] = []
        self.now = 0.0
        self.state = "ok"
        self.interrupt_at = MOST * len(factors) + 1

    def measure(self, cells: Cells, turn: int) -> list[Stored]:
        self.now += 1
        number = cells[0].batch - 1
        self.measured.append((number, turn))
        if len(self.measured) >= self.interrupt_at:
            return []
        before, after = self.times[number]
        return [*self._row(cells[1], after[turn], turn, self.state), *self._row(cells[0], before[turn], turn, "ok")]

    def _row(self, cell: Cell, time: float, turn: int, state: str) -> list[Stored]:
        good = (time,) if state == "ok" else ()
        made = stored([time], backend=cell.backend, batch=cell.batch, row={"state": state, "epoch_seconds": good})
        object.__setattr__(made[0].row, "round", turn)
        return made

    def run(self, thresholds: Thresholds = NARROW, budget: float | None = None) -> list[Comparison]:
        budget = MOST * len(self.pairs) if budget is None else budget
        self.sampler = Sampler(self.measure, thresholds, budget, clock=lambda: self.now)
        return self.sampler.run(self.pairs)


def test_the_levels_of_all_looks_together_are_the_promised_one() -> None:
    taken = [next_one for next_one, _ in zip(looks(), range(40), strict=False)]
    levels = [level for _, level in taken]
    assert sum(levels) < LEVEL
    assert sum(levels) == pytest.approx(LEVEL, rel=0.03)
    rounds = [rounds for rounds, _ in taken]
    assert rounds[:5] == [4, 6, 9, 14, 21]
    assert rounds == sorted(set(rounds))


def test_of_100_samplings_of_equals_at_most_9_ever_call_a_change() -> None:
    calls = [
        any(cell.verdict in ("faster", "slower") for cell in Bench(seed, [1.0] * 3).run(budget=120))
        for seed in range(100)
    ]
    assert sum(calls) <= 9


def test_looking_after_every_round_at_5_percent_would_cry_wolf() -> None:
    calls = 0
    for seed in range(100):
        before, after = Bench(seed, [1.0]).times[0]
        logs = list(np.log(after / before))
        calls += any(paired(logs[:rounds]).p_change() < LEVEL for rounds in range(4, MOST))
    assert calls > 15


def test_a_slowdown_of_10_percent_is_found_before_the_budget_is_spent() -> None:
    samplings = [Bench(seed, [1.1]).run(Thresholds()) for seed in range(50)]
    assert sum(cell.verdict == "slower" for (cell,) in samplings) >= 45
    assert np.median([cell.ratio.count for (cell,) in samplings]) <= 32


def test_what_is_decided_is_measured_no_more() -> None:
    bench = Bench(1, [3.0, 1.0])
    slow, same = bench.run(Thresholds(default=0.02))
    assert slow.verdict == "slower"
    rounds = [sum(number == which for number, _ in bench.measured) for which in (0, 1)]
    assert rounds[0] < rounds[1]
    assert slow.ratio.count == rounds[0]
    assert same.ratio.count == rounds[1]


def test_the_budget_is_kept_and_what_there_is_is_judged() -> None:
    bench = Bench(2, [1.0, 1.0])
    cells = bench.run(Thresholds(), budget=11)
    assert bench.now <= 11
    assert [cell.verdict for cell in cells] == ["undecided", "undecided"]
    assert sum(cell.ratio.count for cell in cells) == 11


def test_a_budget_for_nothing_gives_no_verdict_and_no_error() -> None:
    bench = Bench(2, [1.0])
    assert bench.run(budget=-1) == []
    assert bench.measured == []


def test_a_contender_that_always_fails_is_given_up() -> None:
    bench = Bench(3, [1.0])
    bench.state = "crashed"
    (cell,) = bench.run()
    assert cell.verdict == "broken"
    assert len(bench.measured) == 4


def test_an_interrupt_ends_it_and_keeps_what_was_measured() -> None:
    bench = Bench(4, [1.0])
    bench.interrupt_at = 3
    (cell,) = bench.run()
    assert bench.sampler.interrupted
    assert cell.verdict == "undecided"
    assert cell.ratio.count == 2
