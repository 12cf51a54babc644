from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.contract.network import Network
from harness.contract.spec import BackendSpec
from harness.report.figures import spread, three
from harness.report.statistics import Estimate
from harness.report.summary import sections
from harness.report.table import table
from harness.runner.row import Row, State
from harness.store import Stored
from tests.samples import a_cell, a_lost_row, a_row

ROUNDS = 3


def a_spec(name: str, **fields: Any) -> BackendSpec:
    described: dict[str, Any] = {"summary": "a fake", "parallel": "matrix", "algebra": "blas", **fields}
    return BackendSpec(api=1, name=name, implementation="module:Class", **described)


SPECS = {
    "blas": a_spec("blas", options={"kernels": ("auto", "inherit")}),
    "fused": a_spec("fused", counterpart=("blas", {})),
    "ensemble": a_spec("ensemble", mathematics="ensemble"),
}


def timed(seconds: float, *, options: dict[str, Any] | None = None, **settings: Any) -> list[Row]:
    """Return three rounds with a little noise of a cell that takes so long for an epoch."""
    given = {"kernels": "auto"} if settings.get("backend", "blas") == "blas" else {}
    cell = a_cell(**{"options": given if options is None else options, **settings})
    noise = (1.0, 1.01, 0.99)
    return [
        a_row(cell, turn, epoch_seconds=(seconds * noise[turn],) * 3, warnings=(), gflops=10 / seconds)
        for turn in range(ROUNDS)
    ]


def line(text: str, start: str) -> list[str]:
    """Return the words of the first line that starts so."""
    return next(words for words in text.splitlines() if words.startswith(start)).split()


def test_a_line_holds_the_figures_of_the_papers() -> None:
    text = table([*timed(0.02), *timed(0.01, workers=2)], SPECS)
    assert text.splitlines()[1] == "backend workers batch TPE ms    ± GFLOP/s  SUP % peak acc. % MiB state"
    fast, slow = [words.split() for words in text.splitlines() if words.startswith("blas")]
    assert fast == ["blas", "2", "32", "10.0", "2.5%", "1000", "2.00", "50.0", "90.00", "95", "ok"]
    assert slow == ["blas", "1", "32", "20.0", "2.5%", "500", "1.00", "50.0", "90.00", "95", "ok"]


def in_run(run: str, rows: list[Row]) -> list[Stored]:
    return [Stored(row=row, run=run, code="c", plugin="p", label="", attempt=1) for row in rows]


def speedup_of_two_workers(text: str) -> str:
    return next(words[6] for words in map(str.split, text.splitlines()) if words[:2] == ["blas", "2"])


def test_a_speedup_pairs_rounds_of_one_run_alone() -> None:
    serial, parallel = timed(0.02), timed(0.01, workers=2)
    apart = table([*in_run("monday", serial), *in_run("friday", parallel)], SPECS)
    together = table([*in_run("monday", serial), *in_run("monday", parallel)], SPECS)
    assert [speedup_of_two_workers(text) for text in (apart, together)] == ["-", "2.00"]


def test_a_speedup_that_rests_on_lost_rounds_is_marked() -> None:
    serial, parallel = timed(0.02), timed(0.01, workers=2)
    lost = [a_lost_row(serial[0].cell, 0), *serial[1:]]
    text = table([*lost, *parallel], SPECS)
    assert speedup_of_two_workers(text) == "2.00?*"
    assert "lost rounds" in text
    assert "*" not in table([*serial, *parallel], SPECS)


def test_the_fastest_comes_first_within_its_batch() -> None:
    rows = [*timed(0.03, batch=64), *timed(0.01, batch=64, workers=2), *timed(0.02, batch=32)]
    summaries = sections(rows, SPECS)[0].summaries
    assert [(summary.cell.batch, round(summary.epoch.value, 9)) for summary in summaries] == [
        (32, 0.02),
        (64, 0.01),
        (64, 0.03),
    ]


def test_times_of_a_section_share_one_unit_in_which_all_have_three_digits() -> None:
    text = table([*timed(0.000343), *timed(0.7, workers=2), *timed(5e-5, dataset="mnist")], SPECS)
    assert [words.split()[3:5] for words in text.splitlines() if words.startswith("backend")] == [
        ["TPE", "ms"],
        ["TPE", "µs"],
    ]
    assert [words.split()[3] for words in text.splitlines() if words.startswith("blas")] == ["0.343", "700", "50.0"]


def test_only_options_that_are_not_at_their_default_are_named() -> None:
    text = table([*timed(0.01), *timed(0.02, options={"kernels": "inherit"})], SPECS)
    assert line(text, "blas ")[1] == "1"
    assert line(text, "blas kernels=inherit")


def test_the_speedup_is_over_the_counterpart_of_the_spec_with_one_worker_on_the_same_batch() -> None:
    rows = [
        *timed(0.04),
        *timed(0.5, options={"kernels": "inherit"}),
        *timed(0.3, workers=2),
        *timed(0.01, backend="fused", workers=2),
        *timed(0.01, backend="fused", workers=2, batch=64),
    ]
    text = table(rows, SPECS)
    fused = [words.split() for words in text.splitlines() if words.startswith("fused")]
    assert [words[6] for words in fused] == ["4.00", "-"]


def test_a_speedup_whose_interval_contains_one_is_no_claim() -> None:
    slow, fast = timed(0.0100), timed(0.0099, workers=2)
    shaken = [
        replace(row, epoch_seconds=(row.epoch_seconds[0] * factor,))
        for row, factor in zip(fast, (0.8, 1.0, 1.3), strict=True)
    ]
    text = table([*slow, *shaken], SPECS)
    assert "?" in next(words for words in text.splitlines() if words.startswith("blas") and " 2 " in words)
    assert "no claim" in text
    assert "?" not in table(slow, SPECS)
    assert "?" not in table(slow[:1], SPECS)


def test_what_is_wrong_in_one_round_has_no_times_at_all() -> None:
    rows = timed(0.01)
    rows[1] = replace(rows[1], state="wrong", reason="weights differ by 3.0")
    text = table(rows, SPECS)
    assert line(text, "blas")[3:9] == ["-"] * 6
    assert line(text, "blas")[-2:] == ["wrong", "1/3"]
    assert "wrong: blas workers=1 batch=32 (round 1): weights differ by 3.0" in text


def test_a_round_that_fell_short_leaves_the_figures_of_the_others() -> None:
    rows = timed(0.01)
    rows[2] = a_lost_row(rows[2].cell, 2, state="timeout", reason="had not ended after 60 s")
    text = table(rows, SPECS)
    assert line(text, "blas")[3] == "10.0"
    assert line(text, "blas")[-2:] == ["timeout", "1/3"]


def test_a_wrong_baseline_gives_no_speedup() -> None:
    wrong = [replace(row, state="wrong") for row in timed(0.02)]
    text = table([*wrong, *timed(0.01, backend="fused", workers=2)], SPECS)
    assert line(text, "fused")[6] == "-"


def test_each_network_and_dataset_has_its_section_and_an_ensemble_is_ranked_by_itself() -> None:
    rows = [
        *timed(0.01),
        *timed(0.01, dataset="mnist"),
        *timed(0.01, network=Network.dense([64, 10])),
        *timed(0.01, backend="ensemble"),
    ]
    text = table(rows, SPECS)
    heads = [words for words in text.splitlines() if " on " in words]
    assert heads == [
        "64-32-10 sigmoid mse float32 on digits",
        "64-32-10 sigmoid mse float32 on mnist",
        "64-10 sigmoid mse float32 on digits",
        "64-32-10 sigmoid mse float32 on digits, ensemble: trains in another way, so it is ranked apart",
    ]


def test_rows_of_two_machines_and_two_rates_are_never_compared() -> None:
    other = [replace(row, machine="box-2") for row in timed(0.02)]
    text = table([*timed(0.01), *other, *timed(0.01, rate=0.5)], SPECS)
    heads = [words for words in text.splitlines() if " on " in words]
    assert [head.removeprefix("64-32-10 sigmoid mse float32 on digits, ") for head in heads] == [
        "machine box-1, rate 0.1",
        "machine box-2, rate 0.1",
        "machine box-1, rate 0.5",
    ]


def test_nothing_that_a_plugin_says_can_steer_the_terminal() -> None:
    evil = "\x1b[31m\x1b]0;x\x07[red]<b>\r\n\u202e"
    cell = a_cell(backend="blas", options={evil: evil}, dataset=evil)
    rows = [a_lost_row(cell, 0, reason=evil, stderr=f"first\n{evil} last"), a_row(cell, 1, warnings=(evil,))]
    text = table(rows, SPECS)
    assert not set("\x1b\x07\r\u202e") & set(text)
    assert "[red]<b>" in text


def test_the_table_fits_a_hundred_columns_whatever_the_names() -> None:
    long = {f"option_{number}": "value" * 3 for number in range(6)}
    rows = [
        *timed(123456.0, backend="fused", options=long, batch=1_000_000, workers=1024),
        *timed(1e-5, batch=1_000_000),
    ]
    rows += [a_lost_row(a_cell(backend="fused", options=long), 0, state="out-of-memory", reason="word " * 60)]
    text = table(rows, SPECS)
    assert max(map(len, text.splitlines())) <= 100
    assert "out-of-memory" in text
    assert "option_5=valuevaluevalue" in text


def test_colours_come_only_when_asked_for() -> None:
    assert "\x1b[" in table(timed(0.01), SPECS, color=True)
    assert "\x1b[" not in table(timed(0.01), SPECS)


def test_a_backend_that_is_not_installed_here_is_shown_without_a_speedup() -> None:
    text = table([*timed(0.02), *timed(0.01, workers=2)], {})
    assert line(text, "blas kernels=auto")[7] == "-"


def test_failed_cells_are_listed_with_the_reason_and_the_last_words_of_the_worker() -> None:
    rows = [a_lost_row(turn=turn, stderr="Traceback\n  File\nSegmentation fault") for turn in range(2)]
    text = table(rows, SPECS)
    assert "  crashed: blas workers=1 batch=32: ended by signal 11; it last said: Segmentation fault" in text


@pytest.mark.parametrize(
    ("state", "reason", "stderr"),
    [
        ("error", "PluginError: no weights (backend.py, line 3)", "Traceback\nharness.errors.PluginError: no weights"),
        ("diverged", "a weight is not finite: lower the rate", "x.py:3: RuntimeWarning: overflow\n  np.matmul(a, b)"),
    ],
)
def test_what_the_reason_says_is_not_said_again(state: State, reason: str, stderr: str) -> None:
    text = table([a_row(state=state, reason=reason, stderr=stderr)], SPECS)
    assert reason in " ".join(text.split())
    assert "it last said" not in text


def test_cells_of_several_problems_are_named_with_theirs() -> None:
    rows = [a_lost_row(), a_lost_row(a_cell(dataset="mnist"), state="timeout", reason="too slow")]
    text = table(rows, SPECS)
    assert "crashed: blas workers=1 batch=32 on 64-32-10, digits: ended by signal 11" in text
    assert "timeout: blas workers=1 batch=32 on 64-32-10, mnist: too slow" in text


def test_a_worker_that_was_ended_is_said_to_have_stood_where_its_newest_frame_is() -> None:
    trace = (
        'Fatal Python error\n\nCurrent thread 0x01 (most recent call first):\n  File "a.py", line 3 in step\n'
        '  File "<frozen runpy>", line 1 in main'
    )
    stuck = [a_lost_row(state="timeout", reason="had not ended after 2 s", stderr=trace)]
    assert 'had not ended after 2 s; it stood at File "a.py", line 3 in step\n' in table(stuck, SPECS)
    stopped = [a_lost_row(state="interrupted", reason="interrupted by the user", stderr=trace)]
    assert "interrupted by the user\n" in table(stopped, SPECS)


def test_a_warning_is_told_once_with_the_number_of_cells() -> None:
    rows = [a_row(a_cell(batch=batch), turn) for batch in (32, 64, 128) for turn in range(2)]
    text = table(rows, SPECS)
    assert text.count("asked for 2 threads, got 1") == 1
    assert "  asked for 2 threads, got 1 (blas workers=1 batch=32, and 2 more)" in text


def test_no_rows_are_said_to_be_none() -> None:
    assert table([], SPECS) == "no rows\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0.0, "0.000"),
        (0.9951, "1.00"),
        (9.996, "10.0"),
        (99.96, "100"),
        (123456.0, "123456"),
        (0.05, "0.050"),
    ],
)
def test_figures_have_three_digits_and_no_exponent(value: float | None, shown: str) -> None:
    assert three(value) == shown


def test_the_spread_is_the_farther_side_of_the_interval() -> None:
    assert spread(Estimate(10.0, 9.0, 10.5, 5)) == "10.0%"
    assert spread(Estimate(10.0, 1e-9, 1e9, 3)) == ">999%"
    assert spread(Estimate(10.0, None, None, 2)) == "-"


def test_a_time_that_could_not_be_compared_is_shown_in_brackets_and_ranks_nowhere() -> None:
    parity = {"parity": {"verdict": "not comparable"}}
    fast = [replace(row, receipt={**row.receipt, **parity}, gflops=None) for row in timed(0.1, backend="fused")]
    slow = timed(0.4)
    drawn = table([*slow, *fast], SPECS)
    (line,) = [line for line in drawn.splitlines() if line.startswith("fused")]
    assert "[0.100]" in line
    assert "[ ]: rounding alone decides where this training ends" in drawn
    (section,) = sections([*slow, *fast], SPECS)
    assert [summary.label for summary in section.summaries] == ["blas", "fused"]  # the slower one leads
    assert section.summaries[1].speedup is None
