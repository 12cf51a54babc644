"""Every configuration in a process of its own: what ends the process is one failed check, and the rest goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness import BackendSpec
from harness.cli import main
from harness.conformance import NotConforming, check
from harness.conformance.configuration import configuration
from harness.conformance.running import AGREEMENT, AGREEMENT_CHECK, Request, examine
from harness.conformance.session import Session
from harness.conformance.verdict import Verdict
from harness.errors import RequestError, Unavailable, Unsupported

HERE = Path(__file__).parent
CLOSING = "closing"
LOADING = "another_set_may_be_loaded"


def verdict_of(name: str, word: str, **request: object) -> Verdict:
    return examine(f"odd_backends:{name}", Request(word=word, level="quick", **{"workers": (1,), **request}))  # type: ignore[arg-type]


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {result.name: result.outcome for result in verdict.results}


def test_a_right_backend_gets_a_verdict_with_its_count() -> None:
    verdict = check("good_backend:Good", word=CLOSING, level="quick")
    assert str(verdict) == "good_backend:Good: api 1, level quick, 9 checks, 9 passed"


def test_a_check_that_hangs_is_named_and_the_others_go_on() -> None:
    verdict = verdict_of("Hangs", "closing and not other", seconds=2.0)
    found = outcomes(verdict)
    assert [name for name, outcome in found.items() if outcome == "failed"] == ["closing_twice_is_fine"]
    assert len(found) == 2
    assert "did not end within 2 s" in verdict.failures[0].text
    assert "odd_backends.py" in verdict.failures[0].text


@pytest.mark.parametrize(
    ("name", "says"),
    [("Crashes", "ended the process by SIGSEGV"), ("Exits", "exit code 7")],
)
def test_a_check_that_ends_its_process_is_named_and_the_others_go_on(name: str, says: str) -> None:
    verdict = verdict_of(name, LOADING)
    found = outcomes(verdict)
    assert found.pop(f"{LOADING}[larger]") == "failed"
    assert set(found.values()) == {"passed"}
    assert len(found) == 2
    assert says in verdict.failures[0].text
    assert verdict.failures[0].repeat.endswith(f"-k '{LOADING}[larger]'")


def test_the_last_words_of_a_process_are_kept() -> None:
    text = verdict_of("Exits", f"{LOADING}[larger]").failures[0].text
    assert "exit code 7" in text


def test_a_backend_that_always_ends_its_process_is_given_up() -> None:
    verdict = verdict_of("AlwaysExits", "a_net_may_be_deep")
    assert not verdict
    assert "the_rest_of_the_checks" in outcomes(verdict)


def test_a_backend_that_calls_sys_exit_is_told_in_one_line() -> None:
    verdict = verdict_of("AsksToExit", "an_epoch_equals or closing")
    assert "failed" in outcomes(verdict).values()
    assert "passed" in outcomes(verdict).values()
    for failure in verdict.failures:
        assert failure.text.startswith("train_epoch raised SystemExit: 3 (")
        assert "\n" not in failure.text.strip()


def test_a_backend_may_print_as_much_as_it_likes() -> None:
    assert verdict_of("Chatters", LOADING)


def test_a_configuration_that_is_unsupported_is_not_applicable() -> None:
    verdict = check("odd_backends:OneWorker", word=LOADING, level="quick")
    assert str(verdict).endswith("5 checks, 3 passed, 2 not applicable (serial by nature)")


def test_what_was_asked_for_by_name_and_cannot_run_is_a_refused_request() -> None:
    with pytest.raises(Unsupported, match="serial by nature"):
        verdict_of("OneWorker", LOADING, workers=(2,))
    with pytest.raises(Unavailable, match="no such device here"):
        check("odd_backends:Absent")


def test_a_backend_that_supports_nothing_falls_short() -> None:
    with pytest.raises(NotConforming, match="no check passed, so nothing is known"):
        check("odd_backends:Refuses", word=LOADING)


def test_no_check_at_all_falls_short() -> None:
    assert not verdict_of("Hangs", "no_such_check")


def test_options_of_a_class_without_a_plugin_are_read_off_the_class() -> None:
    word = "a_net_may_be_deep[float64-tanh]"
    assert verdict_of("Optional", word, options={"depth": "4"})
    failed = verdict_of("Optional", word, options={"mode": "double"})
    assert failed.failures[0].repeat == (
        "harness check odd_backends:Optional --options mode=double --workers 1 --level quick "
        "-k 'a_net_may_be_deep[float64-tanh]'"
    )
    with pytest.raises(RequestError, match="unknown option 'moed'; did you mean 'mode'"):
        verdict_of("Optional", word, options={"moed": "double"})


def test_numbers_of_workers_are_compared_with_each_other() -> None:
    request = Request(word=AGREEMENT_CHECK, level="quick", workers=(1, 2, 3))
    verdict = examine("good_backend:Good", request)
    assert [result.name for result in verdict.results].count(AGREEMENT) == 2
    assert verdict


@pytest.mark.parametrize(("wrong", "says"), [(None, ""), ("0", "outputs["), ("1", "rank 1: ")])
def test_every_rank_runs_the_checks_and_rank_0_reports(
    wrong: str | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wrong:
        monkeypatch.setenv("WRONG_RANK", wrong)
    spec = BackendSpec(
        api=1, name="ranked", implementation="odd_backends:Ranked", summary="ranks", parallel="examples",
        algebra="blas", launcher=lambda *_: [sys.executable, str(HERE / "two_ranks.py")],
    )  # fmt: skip
    name, word = "odd_backends:Ranked", "a_net_may_be_deep[float64-tanh]"
    session = Session(name, spec, configuration(spec, {}, 1), "quick", word, {}, 20.0, lambda _: None)
    results = session.run()
    assert [result.outcome for result in results if result.name.startswith("a_net")] == [
        "failed" if wrong == "0" else "passed"
    ]
    failed = [result for result in results if result.outcome == "failed"]
    assert bool(failed) == bool(wrong)
    assert all(says in result.text for result in failed)


def test_the_command_says_with_its_exit_code_what_came_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    quick = ["--level", "quick", "--workers", "1", "-k"]
    assert main(["check", "good_backend:Good", *quick, CLOSING]) == 0
    assert capsys.readouterr().out == "good_backend:Good: api 1, level quick, 3 checks, 3 passed\n"
    assert main(["check", "mutant_backends:ClosesOnce", *quick, CLOSING]) == 1
    assert "close raised RuntimeError: closed already" in capsys.readouterr().out
    assert main(["check", "odd_backends:OneWorker", "--workers", "2", "-k", CLOSING]) == 2
    assert capsys.readouterr().err == "harness: odd_backends:OneWorker: serial by nature\n"
    assert main(["check", "no-such-backend"]) == 2
    assert main(["check", "no_such_module:Class", *quick, CLOSING]) == 1
    assert main(["check", "good_backend:Good", *quick, "and and"]) == 2
    assert main(["check", "good_backend:Good", "--junit", str(tmp_path / "no" / "file"), *quick, CLOSING]) == 2
    capsys.readouterr()
    assert main(["check", "good_backend:Good", "--seconds", "inf"]) == 2
    assert "give numbers above 0, at most 86400 seconds" in capsys.readouterr().err


def test_a_report_that_has_no_folder_is_refused_before_the_checks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("harness.cli.check.examine", lambda *_: pytest.fail("the checks ran first"))
    assert main(["check", "good_backend:Good", "--junit", str(tmp_path / "no" / "file")]) == 2


def test_results_can_be_had_as_json_and_as_junit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "verdict.xml"
    words = ["--level", "quick", "--workers", "1", "-k", CLOSING, "--json", "--junit", str(path)]
    assert main(["check", "mutant_backends:ClosesOnce", *words]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 1
    assert not data["conforms"]
    assert data["counts"]["failed"] == len([one for one in data["checks"] if one["outcome"] == "failed"]) > 0
    suite = ET.fromstring(path.read_bytes())[0]
    assert suite.get("failures") == str(data["counts"]["failed"])
    assert suite.get("tests") == str(len(data["checks"]))


def _pytest(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--pyargs", "harness.conformance", "-p", "no:cacheprovider", *words]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE, env=environment)


def test_authors_can_run_the_checks_with_their_own_pytest() -> None:
    done = _pytest("--harness-backend", "good_backend:Good", "-k", CLOSING)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_pytest_shows_what_differed_and_how_to_repeat_it_without_a_traceback() -> None:
    done = _pytest("--harness-backend", "mutant_backends:GradientTwice", "-k", "a_net_may_be_deep")
    assert done.returncode == 1
    assert "differs by" in done.stdout
    assert "harness check mutant_backends:GradientTwice --workers 1 --level quick -k 'a_net_may_be_deep[" in done.stdout
    assert "def test_" not in done.stdout


def test_pytest_asks_which_backend() -> None:
    done = _pytest()
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--harness-backend NAME" in done.stderr
