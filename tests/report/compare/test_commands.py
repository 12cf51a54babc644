"""The commands end to end, with real processes: labels, and sampling until it is decided."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.report.compare.error_rate import LABEL
from harness.store import Store
from tests.cli.conftest import Lab, made

SLOW = """
import time
from tests.runner.faulty import Faulty

class Fake(Faulty):
    def __init__(self, *arguments, pause=1, **options):
        super().__init__(*arguments, **options)
        self.pause = pause / 1000

    def train_epoch(self, batch_size, rate):
        super().train_epoch(batch_size, rate)
        time.sleep(self.pause)
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab with a backend that sleeps as many milliseconds an epoch as its option says."""
    from tests.fakes.site import offering, spec

    lab = made(tmp_path)
    lab.install("slow", offering(spec("slow", options={"pause": (5, ...)})), files={"backend.py": SLOW})
    return lab


def test_what_is_decided_ends_the_sampling_and_its_rows_are_kept(lab: Lab) -> None:
    study = lab.study("two.toml", "healthy")
    words = ["compare", "slow[pause=5]", "slow[pause=50]", "--until-decided", "--study", study, "--budget", "60s"]
    done = lab.run(*words, "--json")
    assert done.code == 1, done.err
    (cell,) = json.loads(done.out)["cells"]
    assert cell["verdict"] == "slower"
    assert cell["paired"]
    assert 5 < cell["ratio"] < 11
    assert cell["rounds"][0] <= 6
    assert "1 of 1 cells are decided" in done.err
    with Store.read(lab.path("results.db")) as store:
        rows = store.stored()
    assert len(rows) == 2 * cell["rounds"][0]
    assert {row.label for row in rows} == {LABEL}
    assert len({row.run for row in rows}) == 1
    again = lab.run("compare", "slow[pause=5]", "slow[pause=50]")
    assert again.code == 1
    assert "sampled until a verdict" in again.out


def test_a_budget_of_nothing_decides_nothing(lab: Lab) -> None:
    study = lab.study("two.toml", "healthy")
    words = ["compare", "slow", "slow[pause=50]", "--until-decided", "--study", study, "--budget", "0s"]
    done = lab.run(*words, "--strict")
    assert "1 of 1 cells were not measured at all" in done.out, done.err
    assert done.code == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["slow", "slow"], "the same configuration"),
        (["slow", "slo"], "did you mean 'slow'"),
        (["slow", "slow[pause=x]"], "pause"),
        (["slow", "slow[workers=two]"], "workers is a number or all"),
        (["slow", "absent"], "no_such_package"),
        (["slow", "slow[pause=9]", "--budget", "soon"], "is no duration"),
    ],
)
def test_what_cannot_be_sampled_is_refused_before_anything_runs(lab: Lab, words: list[str], said: str) -> None:
    study = lab.study("two.toml", "healthy")
    done = lab.run("compare", *words, "--until-decided", "--study", study)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not lab.path("results.db").exists()


def test_two_labels_of_one_store_are_compared(lab: Lab) -> None:
    text = 'dataset = {name = "synthetic", rows = 64, inputs = 8, outputs = 2}\nnetworks = {hidden = [4]}\nbatch = 32\n'
    text += 'epochs = 2\nrounds = 1\nrate = 0.1\n[[backend]]\nname = "slow"\n'
    lab.path("slow.toml").write_text(text)
    for label in ("before", "after"):
        done = lab.run("run", "slow.toml", "--label", label)
        assert "1 of 1 rows are new" in done.out, done.out + done.err
    shown = lab.run("compare", "before", "after", "--json")
    (cell,) = json.loads(shown.out)["cells"]
    assert not cell["paired"]
    assert cell["rounds"] == [1, 1]
    assert cell["verdict"] == "undecided"
    assert shown.code == 0
