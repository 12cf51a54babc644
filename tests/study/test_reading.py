from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness import RequestError
from harness.study import read_study
from harness.study.model import NETWORKS, BackendEntry, DatasetChoice, NetworkChoice
from tests.study.told import CATALOGUE, ONE, problems, read

DESIGN = """
title = "Two backends on digits"
dataset = "digits"
networks = ["net-1h", {hidden = [32, 16], activation = "tanh", output = "sigmoid"}]
loss = "mse"
batch = [32, 128, "all"]
epochs = 3
rounds = 3
rate = 0.1
seed = 0
init = "glorot_uniform"
shuffle = false
dtype = "float32"
time_limit = 60
memory_limit = "4 GiB"
exclude = [{backend = "python", batch = 128}]

[[backend]]
name = "blas"
workers = [1, "all"]
options = {kernels = ["inherit", "auto"]}
"""


def test_every_key_of_a_full_study_arrives(tmp_path: Path) -> None:
    study = read(tmp_path, DESIGN)
    assert (study.name, study.title) == ("mine", "Two backends on digits")
    assert study.networks == (NETWORKS["net-1h"], NetworkChoice((32, 16), ("tanh", "tanh"), "sigmoid"))
    assert study.batch == (32, 128, "all")
    assert (study.epochs, study.rounds, study.rate, study.seed) == (3, 3, (0.1,), (0,))
    assert (study.time_limit, study.memory_limit) == (60.0, 4 * 2**30)
    assert study.exclude[0].axes == {"backend": ("python",), "batch": (128,)}
    (entry,) = study.backends
    assert entry == BackendEntry(name="blas", workers=(1, "all"), options={"kernels": ("inherit", "auto")})


def test_a_backend_alone_is_a_study(tmp_path: Path) -> None:
    study = read(tmp_path, ONE)
    assert study.dataset == (DatasetChoice("digits"),)
    assert study.networks == (NETWORKS["net-1h"],)
    assert study.memory_limit is None
    assert study.text == ONE


def test_the_nets_of_the_papers_have_hidden_layers_of_1024_and_sigmoids() -> None:
    net = NETWORKS["net-2h"].network(784, 10, "mse", "float32")
    assert net.sizes == (784, 1024, 1024, 10)
    assert {layer.activation for layer in net.layers} == {"sigmoid"}


@pytest.mark.parametrize(("loss", "last"), [("mse", "sigmoid"), ("bce", "sigmoid"), ("ce", "linear")])
def test_the_loss_gives_the_last_layer_unless_the_study_does(loss: str, last: str) -> None:
    assert NetworkChoice((4,), ("relu",)).network(3, 2, loss, "float64").layers[-1].activation == last
    given = NetworkChoice((), (), "tanh").network(3, 2, "mse", "float64")
    assert [layer.activation for layer in given.layers] == ["tanh"]


def test_an_interpreter_is_found_from_the_study_and_asked_for_its_backends(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(sys.executable)
    study = read(tmp_path, '[[backend]]\nname = "foreign"\npython = "./other"\noptions = {depth = 3}')
    (entry,) = study.backends
    assert entry.python == str(tmp_path / "other")


def test_a_backend_of_another_interpreter_need_not_be_installed_here_and_one_from_here_is_not_there(
    tmp_path: Path,
) -> None:
    (found,) = problems(tmp_path, f'[[backend]]\nname = "blas"\npython = "{sys.executable}"')
    assert found.startswith("mine.toml:2: backend[0].name = 'blas': unknown backend; known: foreign")


def test_an_interpreter_without_a_harness_is_refused_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to(sys.executable)
    (found,) = problems(tmp_path, '[[backend]]\nname = "foreign"\npython = "./broken"')
    assert found == "mine.toml:3: backend[0].python = './broken': cannot list its backends"


def test_a_rule_may_give_options_to_a_backend_that_is_left_out(tmp_path: Path) -> None:
    rule = 'exclude = [{backend = "fussed", options = {any = 1}}]\n'
    study = read(tmp_path, rule + ONE + '[[backend]]\nname = "fussed"\noptional = true\n')
    assert study.exclude[0].options == {"any": (1,)}


def test_an_unknown_interpreter_and_a_rule_for_its_backend_are_one_problem(tmp_path: Path) -> None:
    rule = 'exclude = [{backend = "foreign", options = {any = 1}}]\n'
    (found,) = problems(tmp_path, rule + '[[backend]]\nname = "foreign"\npython = "./none"')
    assert "there is no interpreter" in found


def test_an_optional_backend_that_is_not_installed_is_left_out(tmp_path: Path) -> None:
    study = read(tmp_path, ONE + '[[backend]]\nname = "fussed"\noptional = true\noptions = {any = 1}')
    assert [entry.name for entry in study.backends] == ["blas"]
    assert study.left_out == ("fussed",)


def test_a_study_of_which_nothing_is_installed_is_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, '[[backend]]\nname = "fused"\noptional = true')
    assert found == "mine.toml:1: none of its backends is installed: fused"


def test_hosts_go_to_a_backend_with_a_launcher_only(tmp_path: Path) -> None:
    study = read(tmp_path, '[[backend]]\nname = "mpi"\nhosts = ["a", "b.example:4"]')
    assert study.backends[0].hosts == ("a", "b.example:4")
    (found,) = problems(tmp_path, ONE + 'hosts = "a"')
    assert "backend 'blas' starts on this machine only" in found
    (found,) = problems(tmp_path, '[[backend]]\nname = "mpi"\nhosts = "-oProxyCommand=x"')
    assert found.startswith("mine.toml:3: backend[0].hosts = '-oProxyCommand=x': give a host name")


def test_a_missing_file_a_folder_and_a_device_are_refused_in_one_line(tmp_path: Path) -> None:
    for path, cause in ((tmp_path / "no.toml", "no such file"), (tmp_path, "not a file"), ("/dev/zero", "not a file")):
        with pytest.raises(RequestError, match=cause) as caught:
            read_study(path, (), CATALOGUE)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"title = '\xff'", "not UTF-8 text"),
        (b"", "no backend is named"),
        (b"title = ", "Invalid value"),
        (b"a = " + b"[" * 100_000, "nested too deeply|recursion"),
        (b"#" * (2**20 + 1), "larger than"),
        (b"backend = 3", "no backend is named"),
    ],
)
def test_a_file_that_is_no_study_is_refused_in_one_line(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=cause) as caught:
        read_study(path, (), CATALOGUE)
    assert "\n" not in str(caught.value)


def test_an_unknown_study_names_the_nearest_one() -> None:
    with pytest.raises(RequestError, match="unknown study 'quik'; did you mean 'quick'"):
        read_study("quik", (), CATALOGUE)


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ONE.encode())
    assert read_study(path, (), CATALOGUE).name == "bom"
