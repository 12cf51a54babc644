"""`harness export --format asv`, read back with asv's own classes and published with its own command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import iter_results

from harness.cli import main
from harness.plan.cell import Cell
from harness.store import Store
from tests.asv.scratch import IDENTITY
from tests.samples import a_cell, a_lost_row, a_row, a_run

RESULTS = ".asv/results"


class Checkout:
    """A repository with one commit, in which the tests stand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in IDENTITY.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.chdir(folder)
        conf = {"version": 1, "project": "scratch", "repo": ".", "dvcs": "git", "branches": ["HEAD"]}
        folders = {"results_dir": RESULTS, "html_dir": ".asv/html", "benchmark_dir": "."}
        (folder / "asv.conf.json").write_text(json.dumps({**conf, **folders}))
        self.git("init", "--quiet")
        self.git("commit", "--quiet", "--allow-empty", "--message", "first")
        self.commit = self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()

    def receipt(self, **changes: Any) -> dict[str, Any]:
        origin = {"harness": {"commit": self.commit, "dirty": False, **changes}}
        return {"origin": origin, "python": {"version": "3.11.9"}, "hardware": {"cpu": "a processor", "cpus": 2}}

    def values(self, name: str) -> dict[str, Any]:
        """Return what asv reads for a figure, by its first parameters."""
        (result,) = iter_results(RESULTS)
        known = Benchmarks.load(Config.load("asv.conf.json"))
        params = known[name]["params"]
        places = [f"{backend} {batch}" for backend in params[0] for _ in params[1] for batch in params[2]]
        return dict(zip(places, result.get_result_value(name, params), strict=True))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout(tmp_path, monkeypatch)


def keep(*rows: Any, path: str = "results.db", **run: Any) -> None:
    with Store.open(path) as store:
        this = a_run(**run)
        store.begin(this, [row.cell for row in rows])
        for row in rows:
            store.add(this, row)


def export(*words: str) -> int:
    return main(["export", "--format", "asv", "-o", RESULTS, *words])


def numpy(batch: int = 32) -> Cell:
    return a_cell(options={}, batch=batch)


def test_rounds_become_samples_and_every_figure_is_the_better_the_lower(checkout: Checkout) -> None:
    receipt = checkout.receipt()
    keep(*(a_row(numpy(), turn, epoch_seconds=(turn, turn + 0.5), receipt=receipt) for turn in (1, 2)))
    assert export() == 0
    (result,) = iter_results(RESULTS)
    assert result.commit_hash == checkout.commit
    assert result.params["cpu"] == "a processor"
    (samples,) = result.get_result_samples("study.quick.epoch", result.get_result_params("study.quick.epoch"))
    assert sorted(samples) == [1, 1.5, 2, 2.5]
    assert checkout.values("study.quick.epoch") == {"'blas' 32": 1.75}
    assert checkout.values("study.quick.error_rate") == {"'blas' 32": pytest.approx(0.1)}
    assert checkout.values("study.quick.ns_per_flop") == {"'blas' 32": pytest.approx(1 / 12.5)}


def test_what_cannot_run_is_not_there_and_what_failed_is_a_failure(checkout: Checkout) -> None:
    receipt = checkout.receipt()
    keep(
        a_row(numpy(), receipt=receipt),
        a_row(numpy(64), state="wrong", receipt=receipt),
        a_row(a_cell(backend="jax", options={}), state="unavailable", receipt=receipt, epoch_seconds=()),
        a_lost_row(a_cell(backend="jax", options={}, batch=64)),
    )
    assert export() == 0
    found = checkout.values("study.quick.epoch")
    assert found["'blas' 32"] == 0.1
    assert found["'blas' 64"] is None
    assert math.isnan(found["'jax' 32"])
    assert found["'jax' 64"] is None  # a lost row belongs to the commit of its run


def test_rows_of_changed_code_are_left_out_and_counted(checkout: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
    keep(
        a_row(numpy(), receipt=checkout.receipt(dirty=True)),
        a_row(numpy(), 2, receipt={"origin": ["nonsense"]}),
        a_row(numpy(), 3, receipt=checkout.receipt(commit="0" * 40)),
        a_row(numpy(), 4, receipt=checkout.receipt(commit="--output=/etc/passwd")),
    )
    assert export() == 0
    out, err = capfd.readouterr()
    assert "3 rows left out" in err
    assert f"commit {'0' * 40} left out" in err
    assert "0 rows in 0 files" in out
    assert not Path(RESULTS).exists()


def test_names_from_a_stranger_stay_inside_the_folder(checkout: Checkout) -> None:
    hostile = a_cell(study="../../it's; <b>", options={})
    keep(a_row(hostile, machine="../../box", receipt=checkout.receipt()), study="../../it's; <b>")
    assert export() == 0
    assert {path.name for path in Path(RESULTS).iterdir()} == {"benchmarks.json", "_.._box"}


def test_an_export_keeps_what_the_suite_and_earlier_exports_have_left(checkout: Checkout) -> None:
    suite = {"name": "costs.Start.time_help", "params": [], "param_names": [], "unit": "seconds", "version": "7"}
    Path(RESULTS).mkdir(parents=True)
    Path(RESULTS, "benchmarks.json").write_text(json.dumps({"costs.Start.time_help": suite, "version": 2}))
    keep(a_row(numpy(), receipt=checkout.receipt()), path="one.db")
    keep(a_row(numpy(64), receipt=checkout.receipt()), path="two.db")
    assert export("--store", "one.db") == 0
    assert export("--store", "two.db") == 0
    known = Benchmarks.load(Config.load("asv.conf.json"))
    assert known["costs.Start.time_help"] == suite
    assert known["study.quick.epoch"]["params"][2] == ["32", "64"]


def test_asv_publishes_what_was_exported(checkout: Checkout) -> None:
    keep(*(a_row(numpy(batch), receipt=checkout.receipt()) for batch in (32, 64)))
    assert export() == 0
    done = subprocess.run([sys.executable, "-m", "asv", "publish"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    index = json.loads(Path(".asv/html/index.json").read_text())
    assert "study.quick.epoch" in index["benchmarks"]
    (graph,) = Path(".asv/html/graphs").rglob("branch-*/**/study.quick.epoch.json")
    assert json.loads(graph.read_text())[0][1] == [0.1, 0.1]


def test_a_folder_has_to_be_named(checkout: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
    assert checkout
    keep(a_row())
    assert main(["export", "--format", "asv"]) == 2
    assert main(["export", "--format", "asv", "-o", "results.db"]) == 2
    assert capfd.readouterr().err.count("name it with -o") == 2


def test_the_hint_says_how_to_install_asv(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    keep(a_row(numpy(), receipt=checkout.receipt()))
    monkeypatch.setitem(sys.modules, "asv", None)
    assert export() == 2
    assert "pip install asv" in capfd.readouterr().err
