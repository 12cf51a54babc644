"""What is Keras' own here. TensorFlow may not share a process with other frameworks, so each test has its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from harness_keras import tensorflow

from harness import library_threads

PROLOGUE = """
import numpy as np
import harness
from harness import Network
from harness.plugin import reference
from harness_keras.backend import KerasBackend

def problem(dtype="float64", activation=("tanh", "relu", "sigmoid"), loss="mse"):
    network = Network.dense([7, 17, 5, 3], activation=activation, loss=loss, dtype=dtype)
    generator = np.random.default_rng(5)
    x = generator.normal(size=(53, 7)).astype(dtype)
    y = np.eye(3, dtype=dtype)[generator.integers(0, 3, 53)]
    return network, harness.initial_parameters(network, 3), x, y

def check(backend, x, y, batch):
    start = backend.parameters()
    backend.train_epoch(batch, 0.3)
    expected = reference.train_epoch(backend.network, start, x, y, batch, 0.3)
    for (weights, bias), (right_weights, right_bias) in zip(backend.parameters(), expected, strict=True):
        np.testing.assert_allclose(weights, right_weights, rtol=0, atol=1e-13)
        np.testing.assert_allclose(bias, right_bias, rtol=0, atol=1e-13)
"""


def run(body: str, workers: int = 1) -> None:
    variables = {**library_threads(workers, {}), **tensorflow(workers, {"device": "cpu"})}
    ended = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(body)],
        env={**os.environ, **{name: value for name, value in variables.items() if value is not None}},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]


@pytest.mark.parametrize("mode", ["function", "fit"])
def test_ragged_and_oversized_batches_train_as_the_reference_does_in_float64(mode: str) -> None:
    run(f"""
        network, start, x, y = problem()
        with KerasBackend(network, start, mode={mode!r}) as backend:
            backend.load(x, y)
            for batch in (8, 53, 1000):
                check(backend, x, y, batch)
    """)


def test_an_activation_without_native_form_uses_the_slope_of_its_plugin() -> None:
    run("""
        from harness_keras import model
        model.NATIVE.clear()
        network, start, x, y = problem()
        with KerasBackend(network, start) as backend:
            backend.load(x, y)
            check(backend, x, y, 8)
    """)


def test_refusals_name_their_reason() -> None:
    run("""
        import pytest
        network, start, x, y = problem()
        with pytest.raises(harness.Unsupported, match="device=cuda"):
            KerasBackend(network, start, precision="tf32")
        with pytest.raises(harness.Unsupported, match="one worker"):
            KerasBackend(network, start, device="cuda", workers=2)
        with pytest.raises(harness.Unavailable, match="no CUDA device"):
            KerasBackend(network, start, device="cuda")
        with KerasBackend(network, start, workers=2) as backend:
            backend.load(x, y)
            with pytest.raises(harness.RequestError, match="finite"):
                backend.train_epoch(8, float("nan"))
            with pytest.raises(harness.RequestError, match="batch_size=0"):
                backend.train_epoch(0, 0.1)
        with pytest.raises(harness.Unavailable, match="fixed in this process"):
            KerasBackend(network, start, workers=3)
    """)


def test_cpu_cells_are_kept_off_the_gpu_and_threads_follow_the_workers() -> None:
    assert tensorflow(2, {"device": "cpu"})["CUDA_VISIBLE_DEVICES"] == "-1"
    assert tensorflow(2, {"device": "cpu"})["TF_NUM_INTRAOP_THREADS"] == "2"
    assert "CUDA_VISIBLE_DEVICES" not in tensorflow(1, {"device": "cuda"})
