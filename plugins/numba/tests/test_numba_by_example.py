"""``linalg`` and ``neurons``, the two that work one example at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness_numba import linalg, neurons, pointwise
from harness_numba.team import Team

import harness
from harness import Backend
from harness.plugin import reference
from plugins.numba.tests.numba_problems import problem, same
from tests.fakes.registering import register

Kind = Callable[..., Backend]
BOTH: dict[str, Kind] = {"linalg": linalg.LinalgBackend, "neurons": neurons.NeuronsBackend}
SHAPES = [
    {"activation": ["tanh", "relu", "linear"], "loss": "ce"},
    {"activation": ["relu", "tanh", "sigmoid"], "loss": "bce"},
    {"activation": ["sigmoid", "linear", "tanh"], "loss": "mse"},
]


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> Kind:
    return BOTH[str(request.param)]


@pytest.fixture(params=["pool", "fork"])
def team(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_gives_the_outputs_gradients_and_update_of_the_reference(kind: Kind, shape: dict[str, Any]) -> None:
    case = problem(12, 9, 7, 4, dtype="float64", **shape)
    rows = slice(3, 9)
    passed = reference.forward(case.net, case.start, case.x[rows])
    gradients = reference.backprop(case.net, case.start, passed, case.y[rows])
    with kind(case.net, case.start) as backend:
        backend.load(case.x, case.y)
        backend.forward(rows)
        np.testing.assert_allclose(backend.outputs(), passed.outputs, rtol=1e-12)
        backend.backprop(rows)
        same(backend.gradients(), gradients)
        same(backend.parameters(), case.start)
        backend.step(0.3)
        same(backend.parameters(), reference.step(case.start, gradients, 0.3))


@pytest.mark.parametrize("batch", [1, 5, 100])
def test_an_epoch_ends_in_the_weights_of_the_reference(kind: Kind, batch: int, team: str) -> None:
    case = problem(30, 11, 3)
    with kind(case.net, case.start, team=team) as backend:
        backend.load(case.x, case.y)
        backend.train_epoch(batch, 0.2)
        same(backend.parameters(), case.trained(batch, 0.2))


@pytest.mark.parametrize("team_of_three", ["pool", "fork"])
def test_linalg_divides_examples_among_more_workers_than_examples(team_of_three: str) -> None:
    case = problem(30, 11, 3)
    with linalg.LinalgBackend(case.net, case.start, workers=3, team=team_of_three) as backend:
        backend.load(case.x, case.y)
        backend.train_epoch(2, 0.2)
        same(backend.parameters(), case.trained(2, 0.2))


NEURONS = """
import numpy as np, harness
from harness.plugin import reference
from harness_numba.neurons import NeuronsBackend
net = harness.Network.dense([30, 11, 3])
start = harness.initial_parameters(net)
x = np.random.default_rng(0).random((9, 30), np.float32); y = np.ones((9, 3), np.float32)
with NeuronsBackend(net, start, workers=3) as a, NeuronsBackend(net, start, workers=2) as b:
    for backend in (a, b, a):
        backend.load(x, y)
        backend.train_epoch(2, 0.2)
    wanted = reference.train_epoch(net, start, x, y, 2, 0.2)
    np.testing.assert_allclose(b.parameters()[0][0], wanted[0][0], atol=1e-5)
    wanted = reference.train_epoch(net, wanted, x, y, 2, 0.2)
    np.testing.assert_allclose(a.parameters()[0][0], wanted[0][0], atol=1e-5)
    print(a.facts()["threading_layer"])
try:
    NeuronsBackend(net, start, workers=3, team="fork").close()
except harness.Unavailable as reason:
    print(reason)
"""


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_two_neurons_instances_live_side_by_side_with_more_threads_than_cores(layer: str) -> None:
    here = {**os.environ, "NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "3"}
    done = subprocess.run([sys.executable, "-c", NEURONS], env=here, capture_output=True, text=True, check=False)
    if layer == "omp" and "No threading layer could be loaded" in done.stderr:
        pytest.skip("this Numba has no OpenMP layer")
    assert done.returncode == 0, done.stderr
    said, *refused = done.stdout.splitlines()
    assert said == layer
    assert bool(refused) == (layer == "workqueue")


def test_neurons_says_how_to_get_more_threads_than_numba_was_loaded_for() -> None:
    case = problem(3, 2)
    with pytest.raises(harness.Unavailable, match="set NUMBA_NUM_THREADS=4096 before Python starts"):
        neurons.NeuronsBackend(case.net, case.start, workers=4096)


def test_an_unknown_team_is_refused_with_the_right_names(kind: Kind) -> None:
    case = problem(3, 2)
    with pytest.raises(harness.RequestError, match="did you mean 'fork'"):
        kind(case.net, case.start, team="forks")


def test_an_error_in_one_thread_reaches_the_caller_and_frees_the_others(team: str) -> None:
    three = Team(team, 3)

    def task(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError
        three.meet()

    with pytest.raises(ZeroDivisionError):
        three.run(task)
    seen: list[int] = []
    three.run(seen.append)
    three.close()
    assert sorted(seen) == [0, 1, 2]


def test_a_thread_that_cannot_be_started_frees_those_that_were(team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    two, submit = Team(team, 2), ThreadPoolExecutor.submit

    def refusing(pool: ThreadPoolExecutor, work: Callable[[int], None], number: int) -> Any:
        if number == 1:
            raise RuntimeError("can't start new thread")
        return submit(pool, work, number)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refusing)
    with pytest.raises(RuntimeError, match="can't start"):
        two.run(lambda _number: two.meet())
    two.close()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not bind threads to cores")
@pytest.mark.parametrize("beyond", [0, 1])
def test_each_thread_of_a_pool_keeps_to_a_core_where_the_process_has_one_for_each(team: str, beyond: int) -> None:
    cores = os.sched_getaffinity(0)
    crew = Team(team, len(cores) + beyond)
    seen: list[frozenset[int]] = []

    def look(_number: int) -> None:
        crew.meet()
        seen.append(frozenset(os.sched_getaffinity(0)))

    crew.run(look)
    crew.close()
    alone = {frozenset({core}) for core in cores}
    bound = team == "pool" and not beyond and len(cores) > 1
    assert set(seen) == (alone if bound else {frozenset(cores)})
    assert os.sched_getaffinity(0) == cores


def test_in_a_pool_a_number_keeps_its_thread_and_a_closed_team_refuses() -> None:
    crew, seen = Team("pool", 3), list[tuple[int, int]]()
    for _ in range(20):
        crew.run(lambda number: seen.append((number, threading.get_ident())))
    assert len(set(seen)) == 3
    crew.close()
    with pytest.raises(harness.RequestError, match="closed"):
        crew.run(lambda _number: None)


def test_a_registered_activation_is_called_by_its_compiled_scalar_form(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube = harness.Activation(
        "cube",
        lambda _xp, z: z**3,
        lambda _xp, z, _a: 3 * z**2,
        (-1.0, 1.0),
        lambda z: z**3,
        lambda z, _a: 3 * z**2,
    )
    register(monkeypatch, cube)
    case = problem(6, 5, 3, activation=["cube", "tanh"], dtype="float64")
    with kind(case.net, case.start) as backend:
        backend.load(case.x, case.y)
        backend.train_epoch(4, 0.1)
        same(backend.parameters(), case.trained(4, 0.1))


def test_an_activation_without_a_usable_scalar_form_is_unsupported(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    uncompilable: Any = lambda z: min({"z": z}.keys())  # noqa: E731  its type is wrong, on purpose
    for name, scalar in (("none", None), ("odd", uncompilable)):
        odd = harness.Activation(name, lambda _xp, z: z, lambda _xp, z, _a: z, (0.0, 1.0), scalar, scalar)
        register(monkeypatch, odd)
        case = problem(6, 5, 3, activation=[name, "tanh"])
        with pytest.raises(harness.Unsupported, match=f"activation '{name}'"):
            kind(case.net, case.start)


def test_compiled_code_is_kept_below_the_cache_folder_of_the_user(tmp_path: Path) -> None:
    here = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    here["XDG_CACHE_HOME"] = str(tmp_path)
    words = "import numpy as np; from harness_numba.linalg_loops import descend; descend(1.0, np.ones(3), np.ones(3))"
    subprocess.run([sys.executable, "-c", words], env=here, check=True)
    assert list((tmp_path / "backprop-harness" / "numba").rglob("linalg_loops.descend-*.nbc"))


def test_without_a_place_for_compiled_code_every_process_compiles_for_itself(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    here = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    here["XDG_CACHE_HOME"] = str(tmp_path / "file")
    words = "from harness_numba import jit; print(jit.cached(), jit.kernel(lambda z: z + 1)(1))"
    done = subprocess.run([sys.executable, "-c", words], env=here, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "2"]


def test_importing_the_plugin_imports_neither_numba_nor_numpy() -> None:
    words = "import sys, harness_numba; print([n for n in ('numba', 'numpy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_shipped_activation_has_its_kind() -> None:
    assert set(pointwise.KINDS) == {"linear", "sigmoid", "tanh", "relu"}
