"""What runs on Numba's simulator, in a Python of its own: Numba reads its variable when it is imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import harness_cuda
import pytest

from harness.conformance import check

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SMALLEST = "test_contract or a_set_of_one_row_trains or backprop_belongs_to_the_last_forward or slope_of_relu_at_zero"
"""Every check of the manners of the class, and checks of numbers on the smallest nets."""


def simulated(part: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a part's tests in a Python with Numba's simulator."""
    tests = f"plugins/cuda/tests/simulated_{part}.py"
    command = [sys.executable, "-m", "pytest", tests, "-q", "-p", "no:cacheprovider", *words]
    switched = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "HARNESS_CUDA_SIMULATOR": "1", **variables}
    return subprocess.run(command, cwd=ROOT, env=switched, capture_output=True, text=True, timeout=900, check=False)


@pytest.mark.parametrize(("part", "count"), [("kernels", 568), ("backend", 30)])
def test_everything_passes_on_the_simulator(part: str, count: int) -> None:
    ran = simulated(part)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{count} passed" in ran.stdout


MUTANTS = {
    "no barrier after the tiles are loaded": (
        "            cuda.syncthreads()\n            for step",
        "            for step",
        "forward or update",
    ),
    "no barrier before the next tiles": (
        "            cuda.syncthreads()\n        return total",
        "        return total",
        "forward",
    ),
    "examples beside the batch": (
        "if k < inputs and example < count else real(1.0)",
        "if k < inputs else real(1.0)",
        "update",
    ),
    "an index that is not turned": (
        "total += weights_tile[step, x] * delta_tile",
        "total += weights_tile[x, step] * delta_tile",
        "transposed",
    ),
    "a bias without its input": (
        "if k < inputs and example < count else real(1.0)",
        "if k < inputs and example < count else real(0.0)",
        "update",
    ),
}
"""Wrong kernels: what is replaced in the source, by what, and the tests that must notice."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_kernel_is_noticed(mutant: str, tmp_path: Path) -> None:
    right, wrong, word = MUTANTS[mutant]
    shutil.copytree(Path(harness_cuda.__file__).parent, tmp_path / "harness_cuda")
    source = tmp_path / "harness_cuda" / "paper_kernels.py"
    text = source.read_text(encoding="utf-8")
    assert right in text
    source.write_text(text.replace(right, wrong), encoding="utf-8")
    ran = simulated("kernels", "-x", "-k", f"({word}) and not 32", PYTHONPATH=str(tmp_path))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 failed" in ran.stdout


@pytest.mark.parametrize("options", [{"tile": 8}, {"tile": 8, "slope": "output"}, {"variant": "khandait"}], ids=str)
def test_the_smallest_checks_of_conformance_pass(
    options: dict[str, str | int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CUDA_SIMULATOR", "1")
    verdict = check("cuda", options=options, workers=[1], level="quick", word=SMALLEST, seconds=300)
    passed = [one.name for one in verdict.results if one.outcome == "passed"]
    assert any("a_set_of_one_row_trains" in name for name in passed)
