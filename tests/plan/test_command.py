from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import BackendSpec
from harness.cli import main
from harness.contract.registry import registry
from harness.plan.cell import Cell
from tests.study.told import ONE, SPECS

STUDY = f'title = "Mine"\nbatch = [8, 16]\nrounds = 4\n{ONE}workers = [1, 2]\n'


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A study of made-up backends, which stand in the registry for this test; the folder has no store."""
    monkeypatch.chdir(tmp_path)
    known: dict[str, BackendSpec] = registry().backends
    for name, spec in SPECS.items():
        monkeypatch.setitem(known, name, spec)
    path = tmp_path / "mine.toml"
    path.write_text(STUDY)
    return str(path)


def test_the_cells_come_in_an_aligned_table_with_the_time(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", study]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "Mine"
    start = next(index for index, line in enumerate(lines) if line.startswith("BACKEND"))
    rows = lines[start + 1 : start + 5]
    assert [row.split()[0] for row in rows] == ["blas"] * 4
    assert {row[: row.index("64-1024-10")].rstrip()[-6:] for row in rows} == {"digits"}
    assert "4 cells in 4 rounds: about " in out
    assert "0 of 4 cells by earlier times" in out
    assert err == ""
    assert not list(Path.cwd().glob("*.db"))


def test_the_plan_is_there_for_programs(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", study, "--set", "batch=4", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["schema_version"], plan["study"], plan["rounds"]) == (1, "mine", 4)
    assert [cell["batch"] for cell in plan["cells"]] == [4, 4]
    known = set(Cell.__dataclass_fields__)
    for cell in plan["cells"]:
        assert Cell.from_json({name: value for name, value in cell.items() if name in known}).key == cell["key"]
    assert plan["seconds"] == pytest.approx(4 * sum(cell["seconds"] for cell in plan["cells"]))


def test_a_budget_picks_the_rounds(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", study, "--budget", "1h"]) == 0
    out, err = capsys.readouterr()
    assert "fit the budget of 1 h 0 min" in err
    assert "4 cells in 4 rounds" not in out
    assert main(["plan", study, "--budget", "1s"]) == 0
    out, err = capsys.readouterr()
    assert "even one round takes about" in err
    assert "4 cells in 1 round:" in out


def test_what_cannot_run_here_is_said_with_the_reason(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(study).write_text(STUDY + '[[backend]]\nname = "torch"\nworkers = [2, 3]\noptions = {device = "cuda"}')
    assert main(["plan", study]) == 0
    assert "2 cells unsupported: 2 workers on one device" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["--set", "bach=1"], "harness: --set bach=1: unknown key 'bach'; did you mean 'batch'?"),
        (["--set", "batch=0"], "harness: --set batch=0: batch = 0: give a whole number"),
        (["--budget", "soon"], "harness: 'soon' is no duration"),
        (["--budgett", "1m"], "harness: unrecognized arguments: --budgett 1m"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(
    study: str, capsys: pytest.CaptureFixture[str], words: list[str], cause: str
) -> None:
    assert main(["plan", study, *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(cause)
    assert err.count("\n") == 1


@pytest.fixture
def interpreter(study: str) -> Path:
    """An interpreter that leaves a mark whenever it is started; the study names it."""
    program = Path(study).parent / "other"
    program.write_text("#!/bin/sh\ntouch started\nexit 3\n")
    program.chmod(0o755)
    foreign = '[[backend]]\nname = "foreign"\npython = "./other"\nworkers = [1, 2]\noptions = {depth = [3, 4]}\n'
    rule = 'exclude = [{backend = "foreign", options = {depth = 4}, batch = 8}]\n'
    Path(study).write_text(rule + STUDY + foreign)
    return program


def test_planning_starts_no_interpreter_that_a_study_names(
    study: str, interpreter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", study]) == 0
    out, err = capsys.readouterr()
    assert not Path("started").exists()
    assert sum("(not asked)" in line for line in out.splitlines()) == 6
    assert f"6 cells not asked: planning does not start {interpreter}; harness run asks it" in out
    assert err == ""
    assert main(["plan", study, "--json"]) == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [cell["asked"] for cell in cells if cell["backend"] == "foreign"] == [False] * 6
    assert not Path("started").exists()


def test_a_run_asks_the_interpreter_before_anything_is_measured(
    study: str, interpreter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpreter.exists()
    assert main(["run", study, "--quiet"]) == 2
    assert Path("started").exists()
    assert "cannot list its backends" in capsys.readouterr().err


def test_planning_still_checks_that_the_interpreter_is_there(
    study: str, interpreter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    interpreter.unlink()
    assert main(["plan", study]) == 2
    assert "there is no interpreter" in capsys.readouterr().err


def test_no_text_of_a_study_can_steer_the_terminal(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    kernels = '"red\\u001b[31m\\u202e"'
    Path(study).write_text(
        'about = "first\\u001b[2J\\u0007\\nsecond\\u202eline"\n' + STUDY + f"options = {{kernels = {kernels}}}\n"
    )
    assert main(["plan", study]) == 0
    assert main(["plan", study, "--set", 'backend="b\\u001b[31m"']) == 2
    assert main(["plan", study, "--set", 'dataset={name="synthetic", rows="\\u001b[31m"}']) == 2
    out, err = capsys.readouterr()
    assert all(line.isprintable() for line in (out + err).splitlines())
    assert "first\\x1b[2J\\x07\nsecond\\u202eline" in out
    assert "kernels=red\\x1b[31m\\u202e" in out
