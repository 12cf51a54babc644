"""The order of cells: drawn from a seed, a fresh one for each round, the same when a run is started again."""

from __future__ import annotations

from harness.runner.loop import ordered
from tests.runner.sweep import cell

CELLS = [cell(rate=0.1 * number) for number in range(1, 9)]


def test_every_round_has_every_cell_once_in_an_order_of_its_own() -> None:
    turns = ordered(CELLS, 3, seed=7)
    assert [turn.number for turn in turns] == [0, 1, 2]
    for turn in turns:
        assert sorted(one.rate for one in turn.cells) == sorted(one.rate for one in CELLS)
    assert len({str(turn.cells) for turn in turns}) == 3


def test_the_order_depends_on_the_seed_and_on_nothing_else() -> None:
    assert ordered(CELLS, 3, seed=7) == ordered(CELLS[::-1], 3, seed=7)
    assert ordered(CELLS, 3, seed=7) != ordered(CELLS, 3, seed=8)


def test_what_is_done_is_left_out_and_the_rest_keeps_its_order() -> None:
    whole = ordered(CELLS, 2, seed=7)
    done = {(CELLS[0].key, 0), (CELLS[1].key, 0), (CELLS[1].key, 1), ("another", 0)}
    for before, after in zip(whole, ordered(CELLS, 2, seed=7, done=done), strict=True):
        assert after.cells == tuple(one for one in before.cells if (one.key, before.number) not in done)


def test_a_cell_named_twice_is_measured_once() -> None:
    assert len(ordered([*CELLS, *CELLS], 1, seed=0)[0].cells) == len(CELLS)
