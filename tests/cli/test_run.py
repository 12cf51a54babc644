from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.store import Store
from tests.cli.conftest import STORE_NAME, STUDY_NAME, Lab
from tests.fakes.site import Ran

UNPRINTABLE = "\x1b\x07\r\u202e"


def strict(text: str) -> Any:
    """Read JSON as a strict reader does."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_run_ends_with_the_table_the_reasons_and_where_the_rows_went(ran: tuple[Lab, Ran]) -> None:
    lab, done = ran
    assert done.code == 1, done.err
    healthy = next(line for line in done.out.splitlines() if line.startswith("faulty  "))
    assert healthy.endswith(" ok")
    assert "wrong: faulty fault=wrong" in done.out
    assert "error: faulty fault=print_and_fail" in done.out
    assert "unavailable: faulty fault=unavailable workers=1 batch=32: no such device here" in done.out
    assert f"5 of 5 rows are new; all are in {STORE_NAME}" in done.out
    with Store.read(lab.path(STORE_NAME)) as store:
        assert len(store.rows()) == 5


def test_what_is_wrong_has_no_times(ran: tuple[Lab, Ran]) -> None:
    _, done = ran
    wrong = next(line for line in done.out.splitlines() if line.startswith("faulty fault=wrong"))
    assert wrong.split()[-1] == "wrong"
    assert wrong.split()[4:9] == ["-"] * 5


def test_piped_output_has_no_control_codes_whatever_a_plugin_prints(ran: tuple[Lab, Ran]) -> None:
    _, done = ran
    assert not set(UNPRINTABLE) & set(done.out + done.err)
    assert max(map(len, done.out.splitlines())) <= 100


def test_a_piped_run_prints_a_line_for_each_cell_on_standard_error(ran: tuple[Lab, Ran]) -> None:
    _, done = ran
    lines = done.err.splitlines()
    assert [line.split(" ")[1] for line in lines] == [f"{number}/5" for number in range(1, 6)]
    assert {line.split(" ")[2] for line in lines} == {"ok,", "error,", "wrong,", "unavailable,", "unsupported,"}
    (healthy,) = (line for line in lines if " ok," in line)
    assert "faulty fault=healthy workers=1 batch=32 on synthetic round 0" in healthy


def test_a_quiet_run_prints_nothing_on_standard_error(ran: tuple[Lab, Ran]) -> None:
    lab, _ = ran
    done = lab.run("run", STUDY_NAME, "--store", "quiet.db", "--quiet")
    assert "5 of 5 rows are new" in done.out
    assert done.err == ""


def test_the_same_run_again_measures_nothing_and_still_says_what_fell_short(ran: tuple[Lab, Ran]) -> None:
    lab, _ = ran
    again = lab.run("run", STUDY_NAME, "--store", STORE_NAME)
    assert "0 of 5 rows are new" in again.out
    assert again.code == 1


def test_json_is_strict_complete_and_alone_on_standard_output(ran: tuple[Lab, Ran]) -> None:
    lab, _ = ran
    done = lab.run("run", STUDY_NAME, "--store", STORE_NAME, "--json")
    found = strict(done.out)
    assert found["schema_version"] == 1
    states = {row["options"]["fault"]: row["state"] for row in found["rows"]}
    assert states["healthy"] == "ok"
    assert states["wrong"] == "wrong"
    assert states["print_and_fail"] == "error"
    assert done.code == 1


def test_only_what_fell_short_is_measured_again(lab: Lab) -> None:
    study = lab.study("two.toml", "healthy", "wrong")
    first = lab.run("run", study)
    assert "2 of 2 rows are new; all are in results.db" in first.out
    failed = lab.run("run", study, "--again", "failed")
    assert "1 of 2 rows are new" in failed.out
    with Store.read(lab.path("results.db")) as store:
        assert len(store.stored(every=True)) == 3
        assert len(store.rows()) == 2


def test_a_cell_whose_package_is_missing_is_a_row_in_a_sweep(lab: Lab) -> None:
    study = lab.study("sweep.toml", "healthy")
    with lab.path(study).open("a") as file:
        file.write('[[backend]]\nname = "absent"\n')
    done = lab.run("run", study)
    assert done.code == 0, done.err
    assert "unavailable: absent workers=1 batch=32: absent needs no_such_package" in done.out
    assert "2 of 2 rows are new" in done.out
    assert "0 of 2 rows are new" in lab.run("run", study).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backend=absent",), "absent needs no_such_package"),
        (("backend=faulty", "options.fault=unavailable"), "no such device here"),
    ],
)
def test_what_is_asked_for_by_name_and_cannot_be_is_a_refused_request(
    lab: Lab, words: tuple[str, ...], said: str
) -> None:
    study = lab.study("asked.toml", "healthy")
    done = lab.run("run", study, *(part for word in words for part in ("--set", word)))
    assert done.code == 2, done.out
    (line,) = (line for line in done.err.splitlines() if not line.startswith("harness: 1/1 "))
    assert said in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no-such-study",), "unknown study 'no-such-study'"),
        (("none.toml",), "none.toml: there is no such file"),
        (("\x1b[31mred",), "\\x1b[31mred"),
        (("faults.toml", "--set", "bach=1"), "did you mean 'batch'"),
        (("faults.toml", "--label", "two\nlines"), "--label 'two\\nlines': give text on one line"),
        (("faults.toml", "--store", "no/such/folder.db"), "there is no folder"),
        (("faults.toml", "--store", "faults.toml"), "no store"),
        (("faults.toml", "--again", "sometimes"), "failed"),
        (("faults.toml", "--budget", "soon"), "no duration"),
        ((), "study"),
    ],
)
def test_a_wrong_request_is_one_line_and_makes_no_store(lab: Lab, words: tuple[str, ...], said: str) -> None:
    lab.study("faults.toml", "healthy")
    done = lab.run("run", *words)
    assert done.code == 2, done.err
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert "\x1b" not in done.err
    assert not list(lab.folder.glob("*.db"))


def test_names_with_quotes_and_brackets_are_kept_as_they_are(ran: tuple[Lab, Ran]) -> None:
    lab, _ = ran
    exported = lab.run("export", "--store", STORE_NAME, "--format", "json")
    assert {row["study"] for row in strict(exported.out)} == {STUDY_NAME.removesuffix(".toml")}


def test_the_first_interrupt_ends_cleanly_and_the_same_command_goes_on(lab: Lab) -> None:
    study = lab.study("slow.toml", "healthy", "sleep", rounds=2)
    path = os.pathsep.join([str(lab.folder), lab.variables()["PYTHONPATH"]])
    environment = {**os.environ, **lab.variables(), "PYTHONPATH": path}
    words = [sys.executable, "-m", "harness", "run", study]
    busy = subprocess.Popen(
        words, env=environment, cwd=lab.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for_rows(lab.path("results.db"), 1)
    busy.send_signal(signal.SIGINT)
    out, err = busy.communicate(timeout=240)
    assert busy.returncode == 130, err
    assert "the same command goes on" in err
    assert "Traceback" not in err
    with Store.read(lab.path("results.db")) as store:
        kept = [row for row in store.rows() if row.state == "ok"]
    assert 1 <= len(kept) < 4
    assert "TPE" in out
    resumed = lab.run("run", study)
    assert resumed.code == 0, resumed.out
    with Store.read(lab.path("results.db")) as store:
        rows = store.rows()
        assert sorted((row.cell.options["fault"], row.round) for row in rows) == [
            ("healthy", 0), ("healthy", 1), ("sleep", 0), ("sleep", 1)
        ]  # fmt: skip
        assert {row.state for row in rows} == {"ok"}
        assert all(row in rows for row in kept)


def wait_for_rows(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.stat().st_size:
            with Store.read(path) as store:
                if len(store.rows()) >= count:
                    return
        time.sleep(0.05)
    raise AssertionError("no row came")


def on_terminal(lab: Lab, *words: str, **variables: str) -> str:
    """Run the command with standard output and error on a terminal and return all that it showed."""
    path = os.pathsep.join([str(lab.folder), lab.variables()["PYTHONPATH"]])
    environment = {**os.environ, **lab.variables(), "PYTHONPATH": path, "TERM": "xterm", **variables}
    master, slave = pty.openpty()
    busy = subprocess.Popen(
        [sys.executable, "-m", "harness", *words], env=environment, cwd=lab.folder, stdout=slave, stderr=slave
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:  # Linux says so when the last writer has closed a terminal
            break
        if not block:
            break
        shown += block
    os.close(master)
    busy.wait(timeout=60)
    return shown.decode()


def test_a_terminal_shows_what_runs_and_nothing_that_a_plugin_sends(lab: Lab) -> None:
    study = lab.study("faults.toml", "healthy", "print_and_fail")
    shown = on_terminal(lab, "run", study)
    assert "faulty fault=healthy workers=1 batch=32 on synthetic" in shown
    assert "0/2" in shown
    assert "\x1b[31mred" not in shown
    assert "\x1b]0;title" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[31mred" in shown or "red" in shown


def test_no_color_and_quiet_are_respected_on_a_terminal(ran: tuple[Lab, Ran]) -> None:
    lab, _ = ran
    words = ("run", STUDY_NAME, "--store", STORE_NAME, "--quiet")
    assert "\x1b[" in on_terminal(lab, *words)
    assert "\x1b[" not in on_terminal(lab, *words, NO_COLOR="1")
