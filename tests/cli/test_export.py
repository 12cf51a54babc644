from __future__ import annotations

import csv
import io
import json
import math
import stat
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from harness.cli import main
from harness.store import Store
from tests.samples import a_cell, a_lost_row, a_row, a_run

NAMES = """
study machine backend options workers batch network dataset dtype rate seed init round state reason setup_seconds
first_epoch_seconds epoch_seconds gflops peak_share final_loss accuracy peak_bytes history receipt
"""
HOSTILE = "it's \"so\",\n<b>\r\n=cmd|'/c calc'!A1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "results.db"
    with Store.open(path) as store:
        run = a_run()
        store.begin(run, [a_cell(), a_cell(batch=64)])
        store.add(run, a_row(turn=0, reason=HOSTILE, receipt={"it's": HOSTILE}))
        store.add(run, a_row(turn=1, state="diverged", final_loss=math.nan, gflops=math.inf))
        store.add(run, a_lost_row(a_cell(batch=64), 0, stderr="=1+1"))
    return path


def exported(capfd: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["export", *map(str, words)]) == 0
    return capfd.readouterr().out


def refused(capfd: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(list(map(str, words))) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


def test_json_has_every_name_that_is_promised_and_null_for_what_is_not_finite(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = exported(capfd, "--store", path, "--format", "json")
    rows: list[dict[str, Any]] = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert len(rows) == 3
    assert all(set(NAMES.split()) <= row.keys() for row in rows)
    assert rows[0]["reason"] == HOSTILE
    assert rows[0]["receipt"] == {"it's": HOSTILE}
    assert rows[0]["epoch_seconds"] == [0.1, 0.11, 0.1]
    assert rows[1]["final_loss"] is rows[1]["gflops"] is None
    assert rows[2]["setup_seconds"] is None


def test_csv_keeps_names_with_quotes_and_line_ends_and_starts_no_formula(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(capfd, "--store", path, "--format", "csv"), newline="")))
    assert rows[0]["reason"] == HOSTILE
    assert json.loads(rows[0]["receipt"]) == {"it's": HOSTILE}
    assert json.loads(rows[0]["epoch_seconds"]) == [0.1, 0.11, 0.1]
    assert rows[2]["stderr"] == "'=1+1"
    assert float(rows[1]["final_loss"]) != float(rows[1]["final_loss"])
    assert rows[2]["setup_seconds"] == ""


def test_parquet_keeps_types_and_lists(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "rows.parquet"
    assert main(["export", "--store", str(path), "--format", "parquet", "-o", str(target)]) == 0
    rows = pyarrow.parquet.read_table(target).to_pylist()
    assert rows[0]["epoch_seconds"] == [0.1, 0.11, 0.1]
    assert rows[0]["warnings"] == ["asked for 2 threads, got 1"]
    assert math.isnan(rows[1]["final_loss"])
    assert rows[2]["setup_seconds"] is None
    assert rows[0]["reason"] == HOSTILE


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_an_empty_store_exports_to_an_empty_table(tmp_path: Path, form: str) -> None:
    Store.open(tmp_path / "empty.db").close()
    target = tmp_path / "out"
    assert main(["export", "--store", str(tmp_path / "empty.db"), "--format", form, "-o", str(target)]) == 0
    assert target.exists()


def test_one_study_can_be_taken_and_a_wrong_name_gets_the_nearest(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Store.open(path) as store:
        store.begin(a_run(study="paper"), [a_cell(batch=64)])
    rows = json.loads(exported(capfd, "--store", path, "--study", "paper", "--format", "json"))
    assert [(row["study"], row["batch"]) for row in rows] == [("paper", 64)]
    assert "did you mean 'quick'" in refused(capfd, "export", "--store", path, "--study", "quik")


def test_older_attempts_come_only_when_asked_for(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Store.open(path) as store:
        run = a_run()
        store.begin(run, [])
        store.add(run, a_row(turn=0, reason="second"))
    plain = json.loads(exported(capfd, "--store", path, "--format", "json"))
    every = json.loads(exported(capfd, "--store", path, "--format", "json", "--attempts"))
    assert [row["reason"] for row in plain if row["round"] == 0 and row["batch"] == 32] == ["second"]
    assert len(every) == len(plain) + 1


def test_a_store_that_is_not_there_is_refused_and_not_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "no such store" in refused(capfd, "export", "--store", tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_the_store_itself_is_never_overwritten(path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    for target in (path, link):
        assert "the store itself" in refused(capfd, "export", "--store", path, "-o", target)
    with Store.read(path) as store:
        assert len(store.rows()) == 3


def test_a_file_that_cannot_be_written_whole_is_left_as_it_was(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "rows.csv"
    target.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert main(["export", "--store", str(path), "-o", str(target)]) == 74
    assert "No space left on device; nothing was written there" in capfd.readouterr().err
    assert target.read_text() == "before"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["results.db", "rows.csv"]


def test_a_device_is_written_and_not_replaced(path: Path) -> None:
    assert main(["export", "--store", str(path), "-o", "/dev/null"]) == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("target", [".", "none/rows.csv"])
def test_a_target_that_is_no_file_is_refused(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], target: str
) -> None:
    assert "name " in refused(capfd, "export", "--store", path, "-o", tmp_path / target)


def merged(*words: object) -> int:
    return main(["merge", *map(str, words)])


def another(path: Path, machine: str) -> Path:
    with Store.open(path) as store:
        run = a_run(machine=machine)
        store.begin(run, [a_cell()])
        store.add(run, a_row(turn=0, machine=machine))
    return path


def test_merging_keeps_the_rows_of_every_machine_and_twice_changes_nothing(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    second, out = another(tmp_path / "b.db", "box-2"), tmp_path / "out.db"
    assert merged(path, second, "-o", out) == 0
    assert capfd.readouterr().out == f"{out}: 4 rows added, 4 in all\n"
    with Store.read(out) as store:
        both = store.stored(every=True)
        assert {stored.row.machine for stored in both} == {"box-1", "box-2"}
    assert merged(second, path, "-o", out) == 0
    assert capfd.readouterr().out == f"{out}: 0 rows added, 4 in all\n"
    with Store.read(out) as store:
        assert repr(store.stored(every=True)) == repr(both)  # repr: one of them holds a NaN


def test_merging_keeps_every_attempt_and_the_newest_counts(path: Path, tmp_path: Path) -> None:
    second, out = another(tmp_path / "b.db", "box-1"), tmp_path / "out.db"
    assert merged(second, path, "-o", out) == 0
    with Store.read(out) as store:
        found = [(one.attempt, one.row.reason) for one in store.stored(every=True) if one.row.round == 0]
    assert found == [(1, HOSTILE), (1, "ended by signal 11"), (2, "")]


def test_merging_refuses_to_write_into_one_of_its_inputs(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = path.read_bytes()
    link = tmp_path / "link.db"
    link.hardlink_to(path)
    for target in (path, link):
        assert "one of the stores to merge" in refused(capfd, "merge", path, "-o", target)
    assert path.read_bytes() == before


def test_merging_with_a_missing_or_strange_store_writes_nothing(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    strange = tmp_path / "strange.db"
    strange.write_text("nothing of the kind" * 100)
    for bad in (tmp_path / "none.db", strange):
        assert str(bad) in refused(capfd, "merge", path, bad, "-o", tmp_path / "out.db")
        assert not (tmp_path / "out.db").exists()
