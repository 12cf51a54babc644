"""What A and B mean, which cells and rounds belong together, and how the result is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.errors import RequestError
from harness.report.compare import Result, Side, Thresholds, compare
from harness.report.compare.display import as_markdown, as_object, as_text
from harness.report.compare.sides import resolve
from harness.runner.row import State
from harness.store import Store, Stored
from tests.report.compare.made import side, stored
from tests.samples import a_cell, a_lost_row, a_row, a_run

STEADY = [1.0, 1.01, 0.99, 1.0, 1.005, 0.995]
TWICE = [2 * time for time in STEADY]
HOSTILE = "x|y`\x1b[31m <img src=x onerror=alert(1)> @all [a](b)\n*z*"


def meant(word: str, *cells: list[Stored]) -> Side:
    every = [row for cell in cells for row in cell]
    return resolve(word, every, every)


def commit(name: str) -> dict[str, Any]:
    return {"receipt": {"origin": {"harness": {"commit": name}, "plugin": {"commit": name}}}}


def test_a_word_is_a_backend_a_label_or_a_commit() -> None:
    cells = stored(STEADY, label="base"), stored(STEADY, row=commit("abcd1234"), backend="torch")
    assert meant("blas", *cells).kind == "backend"
    assert meant("base", *cells).kind == "label"
    assert meant("abcd", *cells).kind == "commit"
    assert meant("backend:torch", *cells).rows == tuple(cells[1])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("blass", "backends: blas; labels: main"),
        ("label:mian", "did you mean 'main'"),
        ("blas[kernel=auto]", "no option 'kernel'; did you mean 'kernels'"),
        ("blas[kernels=fast]", "there is kernels=auto"),
        ("blas[kernels]", "write NAME"),
        ("feed", "begins several commits"),
        ("", "no backend, label or commit"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_what_there_is(word: str, said: str) -> None:
    cells = stored(STEADY, label="main"), stored(STEADY, row=commit("feed01")), stored(STEADY, row=commit("feed02"))
    with pytest.raises(RequestError) as caught:
        meant(word, *cells)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_word_that_means_two_things_is_refused_with_both() -> None:
    with pytest.raises(RequestError, match="write backend:blas or label:blas"):
        meant("blas", stored(STEADY, label="blas"))


def test_several_configurations_of_a_backend_are_told_apart() -> None:
    cells = stored(STEADY), stored(TWICE, options={"kernels": "inherit"})
    with pytest.raises(RequestError, match=r"write blas\[kernels=auto\] or blas\[kernels=inherit\]"):
        meant("blas", *cells)
    a, b = meant("blas[kernels=auto]", *cells), meant("blas[kernels=inherit]", *cells)
    assert [cell.verdict for cell in compare(a, b).cells] == ["slower"]


def test_workers_between_brackets_may_differ() -> None:
    cells = stored(TWICE), stored(STEADY, workers=2)
    result = compare(meant("blas[workers=1]", *cells), meant("blas[workers=2]", *cells))
    assert [cell.verdict for cell in result.cells] == ["faster"]
    assert not result.regression


def test_a_backend_and_a_label_cannot_be_compared() -> None:
    cells = stored(STEADY, label="base")
    with pytest.raises(RequestError, match="compare two of one kind"):
        compare(meant("blas", cells), meant("base", cells))


def test_rounds_of_one_run_are_paired_and_of_two_are_not() -> None:
    drift = [1.0, 3.0, 9.0, 2.0, 6.0, 1.5]
    twice = [2 * time for time in drift]
    (together,) = compare(side(stored(drift)), side(stored(twice))).cells
    assert (together.ratio.low, together.ratio.high) == pytest.approx((2, 2))
    assert together.verdict == "slower"
    apart = compare(side(stored(drift)), side(stored(twice, run="other")))
    assert apart.cells[0].verdict == "undecided"
    assert not apart.cells[0].pair.paired
    assert "measured in different runs" in as_text(apart)
    assert "unpaired" in as_text(apart)


def test_times_of_different_machines_are_refused_and_said_first_where_asked_for() -> None:
    here, there = side(stored(STEADY)), side(stored(TWICE, row={"machine": "box-2"}), word="B.db")
    with pytest.raises(RequestError, match=r"box-1.*box-2.*--across-machines"):
        compare(here, there)
    result = compare(here, there, across_machines=True)
    assert result.cells[0].verdict == "slower"
    assert "DIFFERENT MACHINES" in as_text(result).splitlines()[2]


def test_what_else_differs_is_shown_before_any_time() -> None:
    old = {"receipt": {"variables": {"OMP_NUM_THREADS": "1"}, "libraries": {"numpy": "1.26"}, "limit": {"gflops": 200}}}
    new = {"receipt": {"variables": {}, "libraries": {"numpy": "2.4"}, "limit": {"gflops": 100}}}
    text = as_text(compare(side(stored(STEADY, row=old)), side(stored(STEADY, row=new))))
    for line in ("OMP_NUM_THREADS: 1 -> not set", "numpy: 1.26 -> 2.4", "limit of the machine, GFLOP/s: 200 -> 100"):
        assert line in text
        assert text.index(line) < text.index("ratio ")


def test_thresholds_hold_for_their_group_alone() -> None:
    a = side(stored(STEADY), stored(STEADY, batch=1))
    b = side(stored([1.1 * t for t in STEADY]), stored([1.1 * t for t in STEADY], batch=1))
    result = compare(a, b, Thresholds.parse("5%", ["backend=blas,batch=1:20%"]))
    assert {cell.setting["batch"]: cell.verdict for cell in result.cells} == {32: "slower", 1: "same"}
    with pytest.raises(RequestError, match="unknown key 'bach'; did you mean 'batch'"):
        compare(a, b, Thresholds.parse("5%", ["bach=1:20%"]))


@pytest.mark.parametrize("text", ["batch:20%", "20%", "batch=1", "batch=1:0%", "batch=1:nan", "=1:5%", "batch=1:x"])
def test_a_threshold_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="--threshold"):
        Thresholds.parse("5%", [text])


def test_what_no_longer_gives_times_is_a_regression_and_what_cannot_run_here_is_none() -> None:
    bad = {"state": "wrong", "epoch_seconds": (0.1,)}
    result = compare(side(stored(STEADY)), side(stored(STEADY, row=bad)))
    assert result.cells[0].verdict == "broken"
    assert result.regression
    assert "6 of 6 rounds wrong" in as_text(result)
    gone = compare(side(stored(STEADY)), side(stored(STEADY, row={"state": "unavailable", "epoch_seconds": ()})))
    assert gone.cells[0].verdict == "none"
    assert not gone.regression
    mended = compare(side(stored(STEADY, row=bad)), side(stored(STEADY)))
    assert mended.cells[0].verdict == "mended"


def test_cells_of_one_side_alone_are_counted() -> None:
    result = compare(side(stored(STEADY), stored(STEADY, batch=64)), side(stored(STEADY)))
    assert len(result.cells) == len(result.only_a) == 1
    assert "1 cells only in A, such as backend=blas workers=1 batch=64" in as_text(result)


def test_sides_without_a_common_cell_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RequestError, match=r"^A.db and B.db have no cell in common"):
        compare(side(stored(STEADY)), side(stored(STEADY, batch=64), word="B.db"))
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    filled(old, blas=STEADY)
    filled(new, torch=STEADY)
    assert main(["compare", str(old), str(new)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_rows_that_are_on_both_sides_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(tmp_path / "s.db", blas=STEADY)
    assert main(["compare", "blas", "blas", "--store", str(tmp_path / "s.db")]) == 2
    error = capsys.readouterr().err
    assert "6 rows are on both sides" in error
    assert len(error.splitlines()) == 1


def partly(state: State, lost: int, times: list[float] = STEADY, **changes: Any) -> list[Stored]:
    """Return rounds of which the first ``lost`` ended in this state, without a time."""
    gone = stored(times[:lost], row={"state": state, "epoch_seconds": ()}, **changes)
    return [*gone, *stored(times, **changes)[lost:]]


@pytest.mark.parametrize("state", ["crashed", "error", "out-of-memory", "diverged"])
@pytest.mark.parametrize("run", ["r", "other"])
def test_a_single_round_that_only_one_side_lost_breaks_it(state: State, run: str) -> None:
    broken = compare(side(stored(STEADY)), side(partly(state, 1, run=run))).cells[0]
    assert broken.verdict == "broken"
    mended = compare(side(partly(state, 1)), side(stored(STEADY, run=run))).cells[0]
    assert mended.verdict == "mended"
    assert compare(side(partly(state, 1)), side(stored(TWICE, run=run))).cells[0].verdict == "slower"


def test_a_side_that_crashed_in_most_rounds_neither_wins_nor_is_the_same() -> None:
    times = STEADY * 4
    for survivors in (times, [time / 2 for time in times]):
        result = compare(side(stored(times)), side(partly("crashed", 18, survivors)))
        assert result.cells[0].verdict == "broken"
        assert result.regression
        assert "B: 18 of 24 rounds crashed" in as_text(result)


def test_rounds_that_both_sides_lost_together_break_neither() -> None:
    a, b = partly("error", 1, STEADY * 2), partly("error", 1, STEADY * 2)
    assert compare(side(a), side(b)).cells[0].verdict == "same"


def test_a_side_that_timed_out_may_lose_but_neither_wins_nor_is_the_same() -> None:
    half = [time / 2 for time in STEADY * 2]
    plain, twice = STEADY * 2, [2 * time for time in STEADY * 2]
    outcomes = {}
    for name, times in (("half", half), ("equal", plain), ("twice", twice)):
        late = partly("timeout", 2, times)
        outcomes[name] = [
            compare(*sides).cells[0].verdict
            for sides in ((side(stored(plain)), side(late)), (side(late), side(stored(plain))))
        ]
    assert outcomes == {
        "half": ["undecided", "undecided"],
        "equal": ["undecided", "undecided"],
        "twice": ["slower", "faster"],
    }
    assert "B reached the time limit: no claim" in as_text(
        compare(side(stored(plain)), side(partly("timeout", 2, plain)))
    )


def test_a_time_limit_does_not_keep_cells_apart() -> None:
    result = compare(side(stored(STEADY)), side(stored(TWICE, time_limit=5.0)))
    assert [cell.verdict for cell in result.cells] == ["slower"]


@pytest.fixture
def hostile() -> Result:
    options = {"kernels": HOSTILE}
    lost = {"state": "crashed", "reason": HOSTILE, "epoch_seconds": ()}
    receipt = {"receipt": {"variables": {HOSTILE: HOSTILE}, "origin": {"harness": 3}, "threads": [], "limit": None}}
    a = side(stored(STEADY, options=options, backend="blas"), stored(STEADY, batch=1, row=receipt), word=HOSTILE)
    b = side(stored(TWICE, options=options, backend="blas"), stored(STEADY, batch=1, row=lost), word=HOSTILE)
    return compare(a, b)


def test_nothing_in_a_name_steers_a_terminal_or_becomes_markup(hostile: Result) -> None:
    text = as_text(hostile)
    assert "\x1b" not in text
    markdown = as_markdown(hostile)
    assert "\x1b" not in markdown
    assert "<img" not in markdown
    assert "@all" not in markdown
    assert "[a](b)" not in markdown
    widths = {line.count(" | ") for line in markdown.splitlines() if line.startswith("| ")}
    assert len(widths) == 1
    json.dumps(as_object(hostile), allow_nan=False)


def filled(path: Path, **backends: list[float]) -> None:
    with Store.open(path) as store:
        run = a_run()
        cells = {name: a_cell(backend=name) for name in backends}
        store.begin(run, cells.values())
        for name, times in backends.items():
            for turn, time in enumerate(times):
                store.add(run, a_row(cells[name], turn, epoch_seconds=(time,)))


@pytest.mark.parametrize(("times", "code"), [(TWICE, 1), (STEADY, 0), ([0.5, 0.51, 0.49], 0)])
def test_the_exit_code_says_whether_anything_became_slower(tmp_path: Path, times: list[float], code: int) -> None:
    old, new = str(tmp_path / "old.db"), str(tmp_path / "new.db")
    filled(Path(old), blas=STEADY)
    filled(Path(new), blas=times)
    assert main(["compare", old, new]) == code


def test_undecided_is_no_failure_unless_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    filled(path, blas=STEADY[:2], torch=TWICE[:2])
    words = ["compare", "blas", "torch", "--store", str(path)]
    assert main(words) == 0
    assert main([*words, "--strict"]) == 3
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["schema_version"] == 1
    (cell,) = shown["cells"]
    assert (cell["verdict"], cell["low"], cell["rounds_needed"]) == ("undecided", None, 3)


def test_a_file_and_a_name_or_no_store_at_all_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    filled(Path("a.db"), blas=STEADY)
    assert main(["compare", "a.db", "blas"]) == 2
    assert "give two stores" in capsys.readouterr().err
    assert main(["compare", "blas", "torch"]) == 2
    assert "there is no results.db" in capsys.readouterr().err
    assert main(["compare", "a.db", "a.db", "--study", "quik"]) == 2
    assert "did you mean 'quick'" in capsys.readouterr().err


def test_a_lost_row_has_no_receipt_and_is_no_trouble() -> None:
    lost = [Stored(row=a_lost_row(turn=0), run="r", code="c", plugin="p", label="", attempt=1)]
    assert compare(side(stored(STEADY)), side(lost)).cells[0].verdict == "broken"
