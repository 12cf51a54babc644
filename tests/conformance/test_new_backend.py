"""``harness new-backend``: what it writes works as it is, and it overwrites nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.conformance.scaffold import Scaffold
from tests.fakes.site import Site, offering, spec
from tests.fakes.venv import Venv

TRAIN = """
import numpy as np, harness
from harness.contract import reference
rng = np.random.default_rng(0)
for loss, last in (("mse", "sigmoid"), ("bce", "sigmoid"), ("ce", "linear")):
    net = harness.Network.dense([5, 7, 6, 3], activation=["tanh", "relu", last], loss=loss, dtype="float64")
    start = harness.initial_parameters(net, seed=1)
    x, y = rng.normal(size=(23, 5)), np.eye(3)[rng.integers(3, size=23)]
    with harness.get_backend("my-own")(net, start) as backend:
        backend.load(x, y)
        expected = start
        for _ in range(3):
            backend.train_epoch(4, np.float64(0.1))
            expected = reference.train_epoch(net, expected, x, y, 4, 0.1)
        for found, right in zip(backend.parameters(), expected):
            np.testing.assert_allclose(found[0], right[0], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(found[1], right[1], rtol=1e-9, atol=1e-12)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Venv, Path]:
    folder = tmp_path_factory.mktemp("new")
    venv = Venv(folder / "venv")
    made = venv.run("harness new-backend my-own && pip install --editable backprop-harness-my-own", folder)
    assert made.code == 0, made.err
    return venv, folder / "backprop-harness-my-own"


def test_the_plugin_is_listed_as_soon_as_it_is_installed(written: tuple[Venv, Path]) -> None:
    venv, folder = written
    ran = venv.run("harness backends --json", folder)
    entry = next(one for one in json.loads(ran.out) if one["name"] == "my-own")
    assert (entry["distribution"], entry["version"]) == ("backprop-harness-my-own", "0.1.0")
    assert entry["available"]
    assert not ran.about("my-own")


def test_the_plugin_trains_as_the_reference_does(written: tuple[Venv, Path]) -> None:
    venv, folder = written
    (folder / "train.py").write_text(TRAIN)
    ran = venv.run("python train.py", folder)
    assert ran.code == 0, ran.err


def test_the_plugin_passes_the_suite_unchanged(written: tuple[Venv, Path]) -> None:
    venv, folder = written
    ran = venv.run("harness check my-own --level quick --workers 2", folder)
    assert re.fullmatch(r"my-own: api 1, level quick, (\d+) checks, \1 passed", ran.out.strip()), ran.out + ran.err
    assert ran.code == 0


BROKEN_LINES = [
    ("self._a[-1] @ weights + bias", "self._a[-1] @ weights"),
    ("f.value(np, self._z[-1])", "self._z[-1]"),
    ("self._a[layer].T @ delta, delta.sum", "2 * self._a[layer].T @ delta, delta.sum"),
    ("delta.sum(axis=0))", "delta.sum(axis=0) * 0)"),
    ("self._a[layer].T @ delta", "self._a[layer].T @ np.sign(delta)"),
    ("[0].T) * slope", "[0].T)"),
    ("weights[:] -= rate * dw", "weights[:] += rate * dw"),
    ("bias[:] -= rate * db", "bias[:] -= db"),
]


@pytest.mark.parametrize(("right", "wrong"), BROKEN_LINES)
def test_any_broken_line_of_arithmetic_fails_a_check_that_shows_it(tmp_path: Path, right: str, wrong: str) -> None:
    Scaffold("my-own").write(tmp_path)
    code = tmp_path / "harness_my_own" / "backend.py"
    assert code.read_text().count(right) == 1
    code.write_text(code.read_text().replace(right, wrong))
    words = ("check", "harness_my_own.backend:MyOwnBackend", "--level", "quick", "--workers", "1", "-k", "reference")
    ran = Site(tmp_path).harness(*words)
    assert ran.code == 1, ran.err
    assert re.search(r" is \S+, should be \S+: differs by \S+, allowed \S+; \d+ of \d+ elements are outside", ran.out)
    assert "repeat: harness check harness_my_own.backend:MyOwnBackend" in ran.out


def test_a_second_plugin_of_that_name_is_refused(written: tuple[Venv, Path]) -> None:
    venv, folder = written
    ran = venv.run("harness new-backend my-own --path other", folder)
    assert (ran.code, ran.out) == (2, "")
    assert "the name 'my-own' is taken: backend 'my-own' comes from plugin 'my-own' (backprop-harness-my-own" in ran.err
    assert not (folder / "other").exists()


def test_what_is_written_satisfies_strict_tools(tmp_path: Path) -> None:
    Scaffold("my-own").write(tmp_path)
    tools, house = Path(sys.executable).parent, Path(__file__).parents[2] / "pyproject.toml"
    checks = (
        ["ruff", "check", "--config", house, "--ignore", "I001,INP001"],  # both depend on where the plugin lies
        ["ruff", "format", "--check", "--config", house],
        ["mypy", "--strict", "--cache-dir", house.parent / ".mypy_cache", "harness_my_own"],
    )
    for tool, *words in checks:
        done = subprocess.run([tools / tool, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_manifest_names_the_plugin_and_nothing_else_is_written(tmp_path: Path) -> None:
    Scaffold("my-own").write(tmp_path / "new" / "folder")
    project = tomllib.loads((tmp_path / "new/folder/pyproject.toml").read_text())["project"]
    assert project["entry-points"]["harness"] == {"my-own": "harness_my_own"}
    written = {
        str(path.relative_to(tmp_path / "new/folder")) for path in (tmp_path / "new").rglob("*.*") if path.is_file()
    }
    module, test = ("harness_my_own/__init__.py", "harness_my_own/backend.py"), "tests/test_my_own.py"
    assert written == {"pyproject.toml", *module, test}


@pytest.mark.parametrize("name", ["", "Mine", "my_own", "2d", "-x", "x-", "a--b", "a b", "a/b", "../x", "é", "x\n"])
def test_a_bad_name_is_refused(site: Site, name: str) -> None:
    ran = site.harness("new-backend", "--", name)
    assert (ran.code, ran.out) == (2, "")
    assert "use a-z, 0-9 and single - between them, a letter first" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_name_that_is_taken_in_any_way_is_refused(site: Site) -> None:
    site.install("twin-a", offering(spec("twin")))
    site.install("twin-b", offering(spec("twin")))
    site.install("silent", "import nowhere_to_be_found\n")
    for name, owner in (
        ("healthy", "fake-healthy"),
        ("twin", "fake-twin-a"),
        ("silent", "a module 'harness_silent'"),
    ):
        ran = site.harness("new-backend", name, "--path", "other")
        assert ran.code == 2
        assert f"the name {name!r} is taken: " in ran.err
        assert owner in ran.err
    assert not (site.folder / "other").exists()


def test_nothing_is_overwritten(tmp_path: Path, site: Site) -> None:
    full, file, empty = tmp_path / "full", tmp_path / "file", tmp_path / "empty"
    full.mkdir()
    empty.mkdir()
    (full / "kept").write_text("kept")
    file.write_text("kept")
    for path, message in ((full, "is not empty; give another --path"), (file, "exists and is no folder")):
        ran = site.harness("new-backend", "mine", "--path", str(path))
        assert (ran.code, len(ran.err.splitlines())) == (2, 1)
        assert message in ran.err
    assert [one.name for one in full.iterdir()] == ["kept"]
    assert file.read_text() == "kept"
    assert site.harness("new-backend", "mine", "--path", str(empty)).code == 0
    assert (empty / "pyproject.toml").exists()


def test_a_folder_that_cannot_be_written_is_74(site: Site) -> None:
    ran = site.harness("new-backend", "mine", "--path", "/proc/nowhere")
    assert ran.code == 74
    assert "/proc/nowhere: nothing can be written there: " in ran.err
