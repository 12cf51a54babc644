from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.report.headline import NOTHING, duels, headline
from harness.report.summary import sections
from harness.runner.row import Row, State
from harness.store import Stored
from tests.report import made
from tests.samples import a_lost_row, a_row

NOISE = (1.0, 1.02, 0.99, 1.01, 0.98, 1.0)


def timed(backend: str, seconds: float, *, rounds: int = 6, noise: float = 1.0, **changes: Any) -> list[Row]:
    """Return rounds of a cell with a noise of its own for each round and backend."""
    cell = made.cell(backend, changes.pop("workers", 2), changes.pop("batch", 128), **changes)
    luck = [1 + noise * (NOISE[(turn * (2 + len(backend))) % 6] - 1) for turn in range(rounds)]
    return [a_row(cell, turn, epoch_seconds=(seconds * luck[turn],) * 3) for turn in range(rounds)]


def said(*rows: Row | Stored) -> str:
    return headline(duels(sections(rows, made.specs())))


def test_the_headline_names_winner_and_next_the_ratio_and_its_interval() -> None:
    sentence = said(*timed("fused", 0.010, noise=4), *timed("jax", 0.013, noise=4), *timed("blas", 0.030))
    assert sentence.startswith("fused is 1.3 times as fast as the next, jax, at batch 128 on two cores (95 % interval")


def test_no_claim_is_made_where_the_interval_holds_one() -> None:
    sentence = said(*timed("fused", 0.0100, noise=5), *timed("jax", 0.0101, noise=5))
    assert sentence.startswith("Undecided at batch 128 on two cores between fused and jax: 10")
    assert "times as fast" not in sentence


def test_no_claim_is_made_from_one_round() -> None:
    sentence = said(*timed("fused", 0.010, rounds=1), *timed("jax", 0.020, rounds=1))
    assert "too few rounds in common" in sentence
    assert "times as fast" not in sentence


def test_no_claim_is_made_from_rounds_that_do_not_pair() -> None:
    late = [row for row in timed("jax", 0.020) if row.round > 2]
    assert "have no round in common" in said(*timed("fused", 0.010, rounds=3), *late)


def in_run(run: str, rows: list[Row]) -> list[Stored]:
    return [Stored(row=row, run=run, code="c", plugin="p", label="", attempt=1) for row in rows]


def test_rounds_of_different_runs_are_no_pairs() -> None:
    fused, jax = timed("fused", 0.010), timed("jax", 0.013)
    assert "have no round in common" in said(*in_run("monday", fused), *in_run("friday", jax))
    assert "times as fast" in said(*in_run("monday", fused), *in_run("monday", jax))


def lost(backend: str, seconds: float, state: State, count: int) -> list[Row]:
    """Return rounds of which the first ``count`` gave no time."""
    rows = timed(backend, seconds)
    return [*(a_lost_row(row.cell, row.round, state=state) for row in rows[:count]), *rows[count:]]


@pytest.mark.parametrize("state", ["crashed", "error", "out-of-memory", "timeout"])
def test_a_backend_that_lost_rounds_wins_nothing_and_the_sentence_says_so(state: State) -> None:
    sentence = said(*lost("fused", 0.010, state, 2), *timed("jax", 0.020))
    assert sentence.startswith("Undecided at batch 128 on two cores between fused and jax")
    assert sentence.endswith(f"; fused lost 2 of 6 rounds ({state}).")


def test_a_claim_over_a_backend_that_lost_rounds_says_so() -> None:
    sentence = said(*timed("fused", 0.010), *lost("jax", 0.020, "crashed", 1))
    assert sentence.startswith("fused is 2.0")
    assert sentence.endswith("; jax lost 1 of 6 rounds (crashed).")


def test_cores_are_those_that_the_workers_had() -> None:
    rows = [
        replace(row, receipt={"hardware": {"usable_cores": 2}})
        for row in (*timed("fused", 0.01, workers=4), *timed("jax", 0.02, workers=4))
    ]
    assert "at batch 128 on two cores, shared by four workers (95 %" in said(*rows)


def test_a_backend_alone_is_not_called_the_fastest() -> None:
    assert said(*timed("fused", 0.01)) == (
        "fused takes 10.0 ms an epoch at batch 128 on two cores; it has no rival there."
    )


def test_two_settings_of_one_backend_are_no_rivals() -> None:
    rows = [*timed("fused", 0.01), *timed("fused", 0.02, options={"variant": 2}), *timed("jax", 0.03)]
    assert said(*rows).startswith("fused is 3.0 times as fast as the next, jax,")


def test_the_headline_tells_of_the_place_with_most_contenders_then_most_workers_whoever_wins() -> None:
    small = [*timed("fused", 0.01, workers=1), *timed("jax", 0.05, workers=1)]
    assert "on two cores" in said(*small, *timed("fused", 0.010), *timed("jax", 0.011))
    assert "on one core " in said(*small, *timed("blas", 0.06, workers=1), *timed("fused", 0.010), *timed("jax", 0.011))


def test_a_wrong_result_wins_nothing() -> None:
    wrong = [a_row(made.cell("torch", 2, 128), turn, state="wrong", epoch_seconds=(1e-6,)) for turn in range(6)]
    assert "torch" not in said(*wrong, *timed("fused", 0.010), *timed("jax", 0.013))


def test_without_any_time_the_headline_says_so() -> None:
    assert said() == said(a_lost_row(made.cell("blas", 1, 32))) == NOTHING


def test_figures_are_as_long_as_it_takes_to_tell_them_from_one() -> None:
    sentence = said(*timed("fused", 0.0100, noise=0.5), *timed("jax", 0.0102, noise=0.5))
    assert "1.02 times as fast" in sentence
    assert "interval 1.0 " not in sentence


def test_a_device_has_workers_and_no_cores() -> None:
    rows = [*timed("torch", 0.01, options={"device": "cuda"}, workers=1), *timed("jax", 0.02, workers=1)]
    assert "on one worker (" in said(*rows)
