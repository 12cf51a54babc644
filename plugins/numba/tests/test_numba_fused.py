"""``fused``: every product, every strategy and every way to fail, against the float64 reference."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness_numba import jit
from harness_numba.fused import isa, strategy
from harness_numba.fused.backend import FusedBackend
from harness_numba.fused.fallback import NumpyEngine

import harness
from harness.plugin import cores, reference
from plugins.numba.tests.numba_problems import Problem, problem, same, trained

SHAPES: list[dict[str, Any]] = [
    {"activation": ["tanh", "relu", "sigmoid", "linear"], "loss": "ce"},
    {"activation": ["relu", "tanh", "linear", "sigmoid"], "loss": "bce"},
    {"activation": ["sigmoid", "linear", "tanh", "tanh"], "loss": "mse"},
]


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
        max(float(np.abs(w - v).max()) for (w, _), (v, _) in zip(parameters, exact, strict=True))
        for parameters in (trained(case, batch, 0.1, 2), plain.parameters())
    )
    assert ours < 2 * theirs


@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_keep_their_relative_accuracy_in_the_tails_and_near_zero(kind: str, dtype: str) -> None:
    net = harness.Network.dense([1, 1], activation=kind, dtype=dtype)
    ends = 80.0 if dtype == "float32" else 700.0
    z = np.concatenate([np.linspace(-ends, 9, 4001), np.geomspace(1e-30, 1e-3, 400)]).astype(dtype)[:, None]
    start: harness.Parameters = [(np.ones((1, 1), dtype), np.zeros(1, dtype))]
    with FusedBackend(net, start) as backend:
        backend.load(z, np.zeros_like(z))
        backend.forward(slice(0, len(z)))
        wanted = harness.activation(kind).value(np, z.astype(np.longdouble))
        np.testing.assert_allclose(backend.outputs(), wanted.astype(float), rtol=6 * np.finfo(dtype).eps)


@pytest.mark.parametrize("kind", ["sigmoid", "tanh", "relu", "linear"])
def test_nan_stays_nan_and_infinity_saturates(kind: str) -> None:
    net = harness.Network.dense([1, 1], activation=kind)
    start: harness.Parameters = [(np.ones((1, 1), np.float32), np.zeros(1, np.float32))]
    z = np.array([[np.nan], [np.inf], [-np.inf]], np.float32)
    with FusedBackend(net, start) as backend:
        backend.load(z, np.zeros_like(z))
        backend.forward(slice(0, 3))
        ends = {"sigmoid": (1, 0), "tanh": (1, -1), "relu": (np.inf, 0), "linear": (np.inf, -np.inf)}[kind]
        np.testing.assert_allclose(backend.outputs()[:, 0], [np.nan, *ends], atol=1e-37)


def test_facts_say_which_vectors_and_which_strategy_ran() -> None:
    case = problem(20, 33, 3)
    with FusedBackend(case.net, case.start, workers=2) as backend:
        backend.load(case.x, case.y)
        backend.train_epoch(1, 0.1)
        facts = backend.facts()
    assert facts.get("threads") == (2 if isa.ISA else None)
    assert facts["isa"] == (isa.ISA.name if isa.ISA else "none")
    assert str(facts["strategy"]).startswith("window 24" if isa.ISA else "plain NumPy")


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
        "print(sum(function.cache_hits for function in native.functions(np.float32).values()))\n"
    )
    runs = [subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True) for _ in range(2)]
    misses, hits = runs[1].stdout.split()
    assert (int(misses), int(hits)) == (0, 8)
    assert list(Path(jit.folder()).rglob("plan.train_epoch-*.nbc"))


@pytest.mark.parametrize(
    ("hidden", "dtype", "batch", "rate"), [("sigmoid", "float32", 32, 1e18), ("tanh", "float64", 8, 1e20)]
)
def test_a_huge_rate_ends_finite_where_the_reference_does(hidden: str, dtype: str, batch: int, rate: float) -> None:
    rng = np.random.default_rng(0)
    net = harness.Network.dense([12, 16, 3], activation=[hidden, "linear"], dtype=dtype)
    x, y = rng.random((64, 12)).astype(dtype), rng.random((64, 3)).astype(dtype)
    for seed in range(2):
        start = harness.initial_parameters(net, seed=seed)
        wanted = reference.train_epoch(net, start, x, y, batch, rate)
        assert all(np.isfinite(array.astype(dtype)).all() for pair in wanted for array in pair)
        with FusedBackend(net, start) as backend:
            backend.load(x, y)
            backend.train_epoch(batch, rate)
            assert all(np.isfinite(array).all() for pair in backend.parameters() for array in pair)
