from __future__ import annotations

from pathlib import Path

import pytest

from harness import RequestError
from harness.study.model import NETWORKS, DatasetChoice
from tests.study.told import ONE, problems, read

STUDY = ONE + 'workers = [1, 2]\n[[backend]]\nname = "threads"\n'


def test_an_override_takes_toml_values_and_bare_words(tmp_path: Path) -> None:
    words = ("batch=64", "rate = 1e-3", "loss=[mse, bce]", "networks=net-2h", "shuffle=true", 'title="a b"')
    study = read(tmp_path, STUDY, *words)
    assert (study.batch, study.rate, study.loss) == ((64,), (0.001,), ("mse", "bce"))
    assert (study.networks, study.shuffle, study.title) == ((NETWORKS["net-2h"],), (True,), "a b")
    assert study.overrides == words


def test_a_table_is_overridden_whole_or_by_a_dotted_key(tmp_path: Path) -> None:
    study = read(tmp_path, STUDY, "dataset=synthetic", "dataset.rows=50")
    assert study.dataset == (DatasetChoice("synthetic", {"rows": 50}),)
    study = read(tmp_path, STUDY, "networks={hidden = [3], activation = tanh}")
    assert study.networks[0].activation == ("tanh",)


def test_backends_are_chosen_by_name_and_keep_their_entries(tmp_path: Path) -> None:
    study = read(tmp_path, STUDY, 'backend=["blas", "python"]')
    assert [(entry.name, entry.workers) for entry in study.backends] == [("blas", (1, 2)), ("python", (1,))]
    assert study.asked == {"blas", "python"}
    assert read(tmp_path, STUDY, "backend=blas").asked == {"blas"}
    assert read(tmp_path, STUDY).asked == frozenset()


def test_a_key_of_backends_is_set_for_all_or_for_one(tmp_path: Path) -> None:
    both = read(tmp_path, STUDY, "workers=4")
    assert [entry.workers for entry in both.backends] == [(4,), (4,)]
    one = read(tmp_path, STUDY, "backend.threads.workers=[1,all]", "backend.threads.options.team=fork")
    assert [entry.workers for entry in one.backends] == [(1, 2), (1, "all")]
    assert one.backends[1].options == {"team": ("fork",)}


def test_a_rule_may_name_a_backend_that_an_override_left_out(tmp_path: Path) -> None:
    text = 'exclude = [{backend = "gone", batch = 1}]\n' + ONE + '[[backend]]\nname = "gone"\noptional = true'
    assert read(tmp_path, text, "backend=blas").exclude[0].axes["backend"] == ("gone",)


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("bach=3", "--set bach=3: unknown key 'bach'; did you mean 'batch'?"),
        ("batch=0", "--set batch=0: batch = 0: give a whole number"),
        ("batch=64,128", "--set batch=64,128: batch = '64,128': give a whole number"),
        ("dataset.row=3", "--set dataset.row=3: dataset = "),
        ("backend=blass", "--set backend=blass: backend[0].name = 'blass': unknown backend; did you mean 'blas'?"),
        ("backend.threads.team=fork", "unknown key 'backend[1].team'"),
        ("workers=none", "--set workers=none: backend[0].workers = 'none'"),
    ],
)
def test_what_an_override_sets_is_checked_and_the_override_is_named(tmp_path: Path, word: str, cause: str) -> None:
    assert cause in problems(tmp_path, STUDY, word)[0]


@pytest.mark.parametrize(
    "word", ["batch", "=3", ".=3", "a..b=3", "batch=[1", "batch=", "backend=[]", "backend=3", "backend.blas=3"]
)
def test_a_malformed_override_is_refused_in_one_line(tmp_path: Path, word: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(tmp_path, STUDY, word)
    assert "\n" not in str(caught.value)
    assert "--set" in str(caught.value)


def test_a_value_cannot_smuggle_in_another_key(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, STUDY, "title=x\nbatch=3")
    assert "give some text on one line" in found
