from __future__ import annotations

from pathlib import Path

import pytest

from harness.plan.cell import Cell
from harness.plan.estimate import estimate, fitted, modelled, nothing_earlier
from harness.plan.model import Plan
from harness.plan.planning import make_plan
from tests.plan.test_planning import site
from tests.study.told import ONE, read

ROWS = 1498


def plan_of(folder: Path, text: str) -> Plan:
    return make_plan(read(folder, text), site())


def rows(_cell: Cell) -> int:
    return ROWS


def test_more_work_takes_longer(tmp_path: Path) -> None:
    small, large = plan_of(tmp_path, 'networks = ["net-1h", "net-2h"]\n' + ONE).cells
    assert modelled(small, ROWS) < modelled(large, ROWS) < modelled(large, 10 * ROWS)
    single = plan_of(tmp_path, "batch = 1\n" + ONE).cells[0]
    assert modelled(single, ROWS) > modelled(small, ROWS)


def test_earlier_times_are_used_where_there_are_any(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "batch = [1, 2]\n" + ONE)
    known = plan.cells[0].key
    found = estimate(plan, rows, lambda cell: 12.0 if cell.key == known else None)
    assert found.seconds == (12.0, modelled(plan.cells[1], ROWS))
    assert found.known == 1
    assert found.round == sum(found.seconds)
    assert estimate(plan, rows, nothing_earlier).known == 0


def test_no_cell_takes_longer_than_its_time_limit(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "time_limit = 2\n" + ONE)
    assert estimate(plan, rows, lambda _cell: 500.0).seconds == (2.0,)


@pytest.mark.parametrize(("budget", "rounds"), [(50, 5), (49, 4), (10, 1)])
def test_the_budget_picks_the_rounds_that_fit(tmp_path: Path, budget: float, rounds: int) -> None:
    plan = fitted(plan_of(tmp_path, ONE), budget, 10.0)
    assert plan.rounds == rounds
    assert plan.notes == (
        f"{rounds} {'round' if rounds == 1 else 'rounds'} of about 10 s fit the budget of {budget} s",
    )


def test_one_round_at_least_even_where_it_does_not_fit(tmp_path: Path) -> None:
    plan = fitted(plan_of(tmp_path, ONE), 9, 10.0)
    assert plan.rounds == 1
    assert plan.notes == ("even one round takes about 10 s, more than the budget of 9.0 s",)
