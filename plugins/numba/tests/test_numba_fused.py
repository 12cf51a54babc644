"""``fused``: every product, every strategy and every way to fail, against the float64 reference."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness_numba import jit
from harness_numba.fused import isa, strategy
from harness_numba.fused.backend import FusedBackend
from harness_numba.fused.engine import Engine
from harness_numba.fused.fallback import NumpyEngine
from harness_numba.linalg import LinalgBackend
from harness_numba.neurons import NeuronsBackend

import harness
from harness import reference
from harness.machine import cores
from plugins.numba.tests.numba_problems import Problem, problem, register, same

SHAPES: list[dict[str, Any]] = [
    {"activation": ["tanh", "relu", "sigmoid", "linear"], "loss": "ce"},
    {"activation": ["relu", "tanh", "linear", "sigmoid"], "loss": "bce"},
    {"activation": ["sigmoid", "linear", "tanh", "tanh"], "loss": "mse"},
]


def trained(case: Problem, batch: int, rate: float, workers: int, epochs: int = 1) -> harness.Parameters:
    with FusedBackend(case.net, case.start, workers=workers) as backend:
        backend.load(case.x, case.y)
        for _ in range(epochs):
            backend.train_epoch(batch, rate)
        return backend.parameters()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_gives_the_outputs_gradients_and_update_of_the_reference(shape: dict[str, Any], dtype: str) -> None:
    case = problem(50, 37, 70, 21, 5, dtype=dtype, **shape)
    rows = slice(3, 20)
    start = [(w.astype(float), b.astype(float)) for w, b in case.start]
    passed = reference.forward(case.net, start, case.x[rows])
    gradients = reference.backprop(case.net, start, passed, case.y[rows])
    with FusedBackend(case.net, case.start, workers=2) as backend:
        backend.load(case.x, case.y)
        backend.forward(rows)
        np.testing.assert_allclose(backend.outputs(), passed.outputs, rtol=200 * np.finfo(dtype).eps)
        backend.backprop(rows)
        same(backend.gradients(), gradients)
        same(backend.parameters(), case.start)
        backend.step(0.3)
        same(backend.parameters(), reference.step(start, gradients, 0.3))


@pytest.mark.parametrize("hidden", [1, 2, 3, 4])
def test_threads_that_run_ahead_do_not_touch_what_others_still_read(hidden: int) -> None:
    """One meeting a chunk going back through two hidden layers is the least there is; many chunks give it a chance."""
    case = problem(32, *[512] * hidden, 8, rows=10 * strategy.CHUNK, dtype="float64")
    passed = reference.forward(case.net, case.start, case.x)
    gradients = reference.backprop(case.net, case.start, passed, case.y)
    with FusedBackend(case.net, case.start, workers=2) as backend:
        backend.load(case.x, case.y)
        for _ in range(100 if hidden == 2 else 10):
            backend.forward(slice(0, len(case.x)))
            backend.backprop(slice(0, len(case.x)))
            same(backend.gradients(), gradients)


def test_a_larger_forward_leaves_the_gradients_alone() -> None:
    case = problem(20, 33, 3, rows=200)
    with FusedBackend(case.net, case.start, workers=2) as backend:
        backend.load(case.x, case.y)
        backend.forward(slice(0, 8))
        backend.backprop(slice(0, 8))
        before = backend.gradients()
        backend.forward(slice(0, 200))
        same(backend.gradients(), before)
    assert any(w.any() for w, _ in before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_trains_weights_of_its_own() -> None:
    words = (
        "import os, numpy as np, harness\n"
        "from harness_numba.fused.backend import FusedBackend\n"
        "net = harness.Network.dense([5, 4, 3])\n"
        "with FusedBackend(net, harness.initial_parameters(net)) as backend:\n"
        "    backend.load(np.ones((9, 5), np.float32), np.ones((9, 3), np.float32))\n"
        "    before = backend.parameters()[0][0]\n"
        "    child = os.fork()\n"
        "    backend.train_epoch(2, 0.1 if child == 0 else 0.0)\n"
        "    same = np.array_equal(before, backend.parameters()[0][0])\n"
        "    if child == 0: os._exit(3 if same else 0)\n"
        "    assert os.waitpid(child, 0)[1] == 0, 'the child did not train'\n"
        "    assert np.array_equal(before, backend.parameters()[0][0]), 'the child trained the weights of its parent'\n"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_registered_slope_is_asked_for_no_neuron_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its pair ``z = 0``, ``a = 0`` would be none that its function gives, and a division by zero."""
    ramp = harness.Activation(
        "ramp",
        lambda xp, z: xp.sqrt(z * z + 1),
        lambda _xp, z, a: z / a,
        (0.0, 9.0),
        lambda z: (z * z + 1.0) ** 0.5,
        lambda z, a: z / a,
    )
    register(monkeypatch, ramp)
    case = problem(20, 33, 3, activation=["ramp", "sigmoid"], dtype="float64")
    same(trained(case, 4, 0.01, 2), case.trained(4, 0.01))
    assert "ZeroDivisionError" not in capfd.readouterr().err


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 7, 8, 12, 33, 100])
def test_an_epoch_ends_in_the_weights_of_the_reference_with_any_batch(batch: int, workers: int) -> None:
    case = problem(50, 37, 70, 5, rows=75, dtype="float64")
    same(trained(case, batch, 0.3, workers, epochs=2), case.trained(batch, 0.3, epochs=2))


@pytest.mark.parametrize("sizes", [(3, 2), (40, 1), (1, 1, 1), (33, 1, 65, 2), (20, 100), (9, 8, 7, 6, 5, 4, 3)])
@pytest.mark.parametrize("batch", [1, 6])
def test_odd_sizes_and_any_depth_are_right(sizes: tuple[int, ...], batch: int) -> None:
    case = problem(*sizes, activation="tanh", dtype="float64")
    same(trained(case, batch, 0.02, 3), case.trained(batch, 0.02))


def test_a_batch_of_several_chunks_and_pieces_is_right_and_grows_the_buffers() -> None:
    case = problem(20, 33, 17, 3, rows=strategy.SETTLED + strategy.CHUNK + 5, dtype="float64")
    with FusedBackend(case.net, case.start, workers=2) as backend:
        backend.load(case.x, case.y)
        backend.train_epoch(8, 0.1)
        backend.train_epoch(10**9, 0.1)
        backend.load(case.x[:7].copy(), case.y[:7].copy())
        backend.train_epoch(4, 0.1)
        short = Problem(case.net, [], case.x[:7], case.y[:7])
        wanted = reference.train_epoch(case.net, case.trained(8, 0.1), case.x, case.y, 10**9, 0.1)
        same(backend.parameters(), reference.train_epoch(case.net, wanted, short.x, short.y, 4, 0.1))


@pytest.mark.parametrize("batch", [1, 64])
def test_rounding_is_no_worse_than_numpys(batch: int) -> None:
    case = problem(100, 64, 10, rows=320)
    exact = case.trained(batch, 0.1)
    plain = NumpyEngine(case.net, case.start, 1)
    plain.load(case.x, case.y)
    plain.train_epoch(batch, 0.1)
    ours, theirs = (
        max(float(np.abs(w - v).max()) for (w, _), (v, _) in zip(one, exact, strict=True))
        for one in (trained(case, batch, 0.1, 2), plain.parameters())
    )
    assert ours < 2 * theirs


@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_keep_their_relative_accuracy_in_the_tails_and_near_zero(kind: str, dtype: str) -> None:
    net = harness.Network.dense([1, 1], activation=kind, dtype=dtype)
    ends = 80.0 if dtype == "float32" else 700.0
    z = np.concatenate([np.linspace(-ends, 9, 4001), np.geomspace(1e-30, 1e-3, 400)]).astype(dtype)[:, None]
    one: harness.Parameters = [(np.ones((1, 1), dtype), np.zeros(1, dtype))]
    with FusedBackend(net, one) as backend:
        backend.load(z, np.zeros_like(z))
        backend.forward(slice(0, len(z)))
        wanted = harness.activation(kind).value(np, z.astype(np.longdouble))
        np.testing.assert_allclose(backend.outputs(), wanted.astype(float), rtol=6 * np.finfo(dtype).eps)


@pytest.mark.parametrize("kind", ["sigmoid", "tanh", "relu", "linear"])
def test_nan_stays_nan_and_infinity_saturates(kind: str) -> None:
    net = harness.Network.dense([1, 1], activation=kind)
    one: harness.Parameters = [(np.ones((1, 1), np.float32), np.zeros(1, np.float32))]
    z = np.array([[np.nan], [np.inf], [-np.inf]], np.float32)
    with FusedBackend(net, one) as backend:
        backend.load(z, np.zeros_like(z))
        backend.forward(slice(0, 3))
        ends = {"sigmoid": (1, 0), "tanh": (1, -1), "relu": (np.inf, 0), "linear": (np.inf, -np.inf)}[kind]
        np.testing.assert_allclose(backend.outputs()[:, 0], [np.nan, *ends], atol=1e-37)


def test_a_registered_activation_is_called_by_its_compiled_scalar_form(monkeypatch: pytest.MonkeyPatch) -> None:
    bent = harness.Activation(
        "bent",
        lambda xp, z: (xp.sqrt(z * z + 1) - 1) / 2 + z,
        lambda xp, z, _a: z / (2 * xp.sqrt(z * z + 1)) + 1,
        (-np.inf, np.inf),
        lambda z: ((z * z + 1.0) ** 0.5 - 1.0) / 2.0 + z,
        lambda z, _a: z / (2.0 * (z * z + 1.0) ** 0.5) + 1.0,
    )
    register(monkeypatch, bent)
    case = problem(20, 33, 17, 3, activation=["bent", "bent", "tanh"], dtype="float64")
    for batch in (1, 9):
        same(trained(case, batch, 0.01, 2), case.trained(batch, 0.01))


HALF = harness.Activation(
    "half",
    lambda xp, z: 0.5 + z / (2 + 2 * xp.abs(z)),
    lambda xp, z, _a: 0.5 / (1 + xp.abs(z)) ** 2,
    (0.0, 1.0),
    lambda z: 0.5 + z / (2.0 + 2.0 * abs(z)),
    lambda z, _a: 0.5 / (1.0 + abs(z)) ** 2,
)


@pytest.mark.parametrize("kind", [FusedBackend, LinalgBackend, NeuronsBackend])
def test_nan_stays_nan_under_bce_on_a_registered_activation(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, HALF)
    case = problem(20, 33, 3, activation=["tanh", "half"], loss="bce", dtype="float64")
    case.x[0] = np.nan
    with kind(case.net, case.start) as backend:
        backend.load(case.x, case.y)
        backend.forward(slice(0, 4))
        backend.backprop(slice(0, 4))
        assert np.isnan(backend.gradients()[-1][1]).all()


def test_bce_on_a_registered_activation_follows_the_chain_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, HALF)
    case = problem(20, 33, 3, activation=["tanh", "half"], loss="bce", dtype="float64")
    same(trained(case, 4, 0.1, 2), case.trained(4, 0.1))


def test_a_thread_that_dies_frees_the_others_and_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    case = problem(20, 33, 17, 3)
    with FusedBackend(case.net, case.start, workers=3) as backend:
        backend.load(case.x, case.y)
        engine = backend._engine
        assert isinstance(engine, Engine)
        run = engine._team.run

        def dying(task: Any) -> None:
            def work(me: int) -> None:
                if me == 1:
                    raise MemoryError
                task(me)

            run(work)

        monkeypatch.setattr(engine._team, "run", dying)
        with pytest.raises(MemoryError):
            backend.train_epoch(1, 0.1)
        monkeypatch.undo()
        backend.train_epoch(1, 0.1)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker")]


INTERRUPTED = """
import os, signal, threading, numpy as np, harness
from harness_numba.fused.backend import FusedBackend
net = harness.Network.dense([64, 64, 64, 8])
x, y = np.ones((100_000, 64), np.float32), np.ones((100_000, 8), np.float32)
with FusedBackend(net, harness.initial_parameters(net), workers=3) as backend:
    backend.load(x, y)
    backend.train_epoch(64, 0.0)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background passes it on as ignored
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        while True:
            backend.train_epoch(1, 1e-3)
    except KeyboardInterrupt:
        print("interrupted")
    memory = getattr(backend._engine, "_memory", None)
    if memory:
        copies = memory._biases(2, 0)
        assert (copies == copies[0]).all(), "the threads' copies of the last bias are apart"
    backend.train_epoch(64, 0.0)
    print("trained on")
"""


def test_an_interrupt_ends_an_epoch_and_leaves_the_backend_usable() -> None:
    words = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.split("\n")[:2] == ["interrupted", "trained on"], done.stderr


def test_facts_say_which_vectors_and_which_strategy_ran() -> None:
    case = problem(20, 33, 3)
    with FusedBackend(case.net, case.start, workers=2) as backend:
        backend.load(case.x, case.y)
        backend.train_epoch(1, 0.1)
        facts = backend.facts()
    assert facts.get("threads") == (2 if isa.ISA else None)
    assert facts["isa"] == (isa.ISA.name if isa.ISA else "none")
    assert str(facts["strategy"]).startswith("window 24" if isa.ISA else "plain NumPy")


@pytest.mark.skipif(isa.ISA is None, reason="without vectors there are no panels to own")
@pytest.mark.parametrize("sizes", [(20, 5, 3), (20, 3)])
def test_a_thread_that_would_own_no_neuron_is_not_started(sizes: tuple[int, ...]) -> None:
    case = problem(*sizes, dtype="float64")
    with FusedBackend(case.net, case.start, workers=4) as backend:
        assert backend.facts()["threads"] == (1 if len(sizes) == 3 else -(-20 * 8 // isa.KERNELS.panel_bytes))
    same(trained(case, 4, 0.3, 4), case.trained(4, 0.3))


@pytest.mark.parametrize("batch", range(1, 70))
@pytest.mark.parametrize("workers", [1, 2, 4096])
def test_a_window_is_whole_batches_and_fits_in_a_chunk(batch: int, workers: int) -> None:
    chosen = strategy.choose(batch, workers)
    assert chosen.window % batch == 0
    assert chosen.window == batch or chosen.window <= min(chosen.chunk, strategy.WINDOW)
    assert (chosen.spins > 1) == (workers <= cores())


NARROW = """
import sys, pytest
code = pytest.main(sys.argv[1:])
from harness_numba.fused import isa
print("ran with", isa.ISA)
raise SystemExit(code)
"""


@pytest.mark.skipif(isa.ISA is not isa.AVX512, reason="where the vectors are narrow, or none, every test is this test")
@pytest.mark.parametrize(
    ("features", "name"), [("+avx,+avx2,+fma,+bmi,+bmi2,+sse4.2,+popcnt", "Isa(name='avx2'"), ("+sse4.2", "None")]
)
def test_narrow_vectors_and_plain_numpy_are_as_right(features: str, name: str) -> None:
    """Numba itself compiles for less, so that no wide instruction can slip in."""
    here = {**os.environ, "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": features}
    chosen = "any_depth or any_batch or a_batch_gives or relative_accuracy or facts"
    words = [sys.executable, "-c", NARROW, "-q", "-x", "-p", "no:cacheprovider", __file__, "-k", chosen]
    done = subprocess.run(words, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"ran with {name}" in done.stdout


def test_a_second_process_finds_the_compiled_code_of_the_first() -> None:
    if "NUMBA_CACHE_DIR" in os.environ:
        pytest.skip("the user keeps compiled code elsewhere")
    words = (
        "import numpy as np, harness; from harness_numba.fused import native, plan\n"
        "from harness_numba.fused.backend import FusedBackend\n"
        "net = harness.Network.dense([5, 4, 3])\n"
        "with FusedBackend(net, harness.initial_parameters(net)) as backend:\n"
        "    backend.load(np.ones((9, 5), np.float32), np.ones((9, 3), np.float32))\n"
        "    backend.train_epoch(2, 0.1)\n"
        "print(sum(plan.train_epoch.stats.cache_misses.values()))\n"
        "print(sum(one.cache_hits for one in native.functions(np.float32).values()))\n"
    )
    runs = [subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True) for _ in range(2)]
    misses, hits = runs[1].stdout.split()
    assert (int(misses), int(hits)) == (0, 8)
    assert list(Path(jit.folder()).rglob("plan.train_epoch-*.nbc"))
