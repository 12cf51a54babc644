"""What the backend says where there is no GPU, and what it refuses anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from harness_cuda import device, environment
from harness_cuda.backend import CudaBackend

import harness
from harness import Network, RequestError, Unsupported

NETWORK = Network.dense([3, 4, 2], activation="sigmoid", loss="mse", dtype="float32")
START = harness.initial_parameters(NETWORK, 0)
SWITCHES = {"HARNESS_CUDA_SIMULATOR", "NUMBA_ENABLE_CUDASIM"}
HIDDEN = {name: value for name, value in os.environ.items() if name not in SWITCHES} | {"CUDA_VISIBLE_DEVICES": ""}
"""An environment in which a GPU, if the machine has one, is not seen."""
MAKE = """
import harness
network = harness.Network.dense([3, 4, 2], activation="sigmoid", loss="mse", dtype="float32")
try:
    harness.get_backend("cuda")(network, harness.initial_parameters(network, 0))
except harness.Unavailable as error:
    print(error)
"""


def python(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python where no GPU is seen."""
    command = [sys.executable, *words]
    return subprocess.run(
        command, env={**HIDDEN, **variables}, capture_output=True, text=True, timeout=300, check=False
    )


def test_without_a_gpu_it_is_unavailable_with_the_reason_on_one_line() -> None:
    ran = python("-c", MAKE)
    assert ran.stdout.startswith("no CUDA device runs a kernel here: "), ran.stderr
    assert len(ran.stdout.splitlines()) == 1
    assert "HARNESS_CUDA_SIMULATOR=1" in ran.stdout


def test_without_a_gpu_a_check_by_name_is_refused() -> None:
    ran = python("-m", "harness", "check", "cuda", "--workers", "1", "--options", "tile=8", "-k", "closing_twice")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "cuda: no CUDA device runs a kernel here" in ran.stderr


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"NUMBA_ENABLE_CUDASIM": "1"}, "unset it, or set HARNESS_CUDA_SIMULATOR=1 too"),
        ({"HARNESS_CUDA_SIMULATOR": "1"}, "started with NUMBA_ENABLE_CUDASIM=1"),
    ],
)
def test_half_a_wish_for_the_simulator_is_refused(variables: dict[str, str], words: str) -> None:
    ran = python("-c", MAKE, **variables)
    assert words in ran.stdout, ran.stderr


def test_the_simulator_runs_in_a_process_only_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_CUDA_SIMULATOR", raising=False)
    assert environment(1, {})["NUMBA_ENABLE_CUDASIM"] is None
    monkeypatch.setenv("HARNESS_CUDA_SIMULATOR", "1")
    assert environment(1, {})["NUMBA_ENABLE_CUDASIM"] == "1"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"workers": 2}, Unsupported, "one CUDA device is one worker"),
        ({"variant": "khandait", "tile": 8}, Unsupported, "blocks of 16 x 16 as published"),
        ({"tile": 12}, Unsupported, "the tiles are 8, 16, 32"),
        ({"variant": "papr"}, RequestError, "paper"),
        ({"slope": "a"}, RequestError, "slope"),
        ({"device": "cpu"}, RequestError, "device"),
    ],
)
def test_what_can_never_work_is_refused_before_a_gpu_is_asked_for(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        CudaBackend(NETWORK, START, **options)


def test_a_layer_that_no_grid_covers_is_unsupported() -> None:
    network = Network.dense([1, 65535 * 8 + 1, 1], activation="linear", loss="mse", dtype="float32")
    with pytest.raises(Unsupported, match="a layer of 524281 neurons"):
        CudaBackend(network, harness.initial_parameters(network, 0, init="zeros"), tile=8)


def test_a_device_whose_first_kernel_gives_a_wrong_number_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = SimpleNamespace(copy_to_host=lambda: np.zeros((1, 1), np.float32))
    monkeypatch.setattr(device, "cuda", SimpleNamespace(device_array=lambda *_: answer))
    monkeypatch.setattr(device, "_probe", {(1, 1): lambda _answer: None})
    assert "the first kernel wrote 0 instead of 1" in device._reason.__wrapped__()
