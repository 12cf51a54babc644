from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.contract.environment import applied, threads
from harness.machine.limit import bandwidth, fma, gemm
from harness.machine.process import Limits, Start, run


@pytest.fixture(scope="module")
def measured() -> dict[str, object]:
    start = Start(
        module="harness.machine.limit.child",
        request={"threads": 1, "dtype": "float32", "seconds": 0.3},
        environment=applied(os.environ, {**threads(1), "OPENBLAS_CORETYPE": "Haswell"}),
        limits=Limits(60.0),
    )
    ended = run(start)
    assert ended.message is not None, ended.stderr
    return ended.message


def test_the_child_delivers_peak_and_bandwidth(measured: dict[str, object]) -> None:
    assert measured["threads"] == 1
    assert measured["dtype"] == "float32"
    assert float(str(measured["gflops"])) > 0.1
    assert 0 <= float(str(measured["spread"])) < 1


def test_the_child_says_what_its_environment_would_have_chosen(measured: dict[str, object]) -> None:
    assert measured["inherited"] == "Haswell"
    assert measured["blas"]


def test_the_peak_is_the_best_of_all_sizes() -> None:
    found = gemm.peak("float32", 0.1)
    assert found["gflops"] == max(one["best"] for one in found["sizes"].values())
    assert found["gflops"] >= found["sizes"][str(found["size"])]["median"]


def test_a_product_counts_two_operations_for_each_multiplication(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm, "SIZES", (64,))
    monkeypatch.setattr(gemm, "seconds_of", lambda action: (action(), 0.001)[1])
    assert gemm.peak("float64", 0.002)["gflops"] == pytest.approx(2 * 64**3 / 0.001 / 1e9)


def test_a_size_that_would_take_far_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm, "SIZES", (32, 64))
    monkeypatch.setattr(gemm, "seconds_of", lambda action: (action(), 1.0)[1])
    assert list(gemm.peak("float32", 0.01)["sizes"]) == ["32"]


def test_every_thread_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "sizes", lambda _threads: [("L1", 16 << 10)])
    one, three = (bandwidth.bandwidth(count, "float32", 0.05)[0]["gb_per_s"] for count in (1, 3))
    assert one > 0.1
    assert three > 0.1


def test_a_pass_adds_what_it_counts() -> None:
    row, out = np.ones(1000, np.float32), np.zeros(1000, np.float32)
    rows = bandwidth._passes(row, out)
    np.add.reduce(rows, axis=0, out=out)
    assert (out == min(len(rows), 2**24)).all()


def test_sizes_come_from_the_system_and_grow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for index, (level, kind, size) in enumerate(
        [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2048K"), ("3", "Unified", "32M")]
    ):
        folder = tmp_path / f"index{index}"
        folder.mkdir()
        for name, value in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(f"{value}\n")
    monkeypatch.setattr(bandwidth, "CACHES", tmp_path)
    assert bandwidth.caches() == {"L1": 48 << 10, "L2": 2 << 20, "L3": 32 << 20}
    assert dict(bandwidth.sizes(2)) == {"L1": 24 << 10, "L2": 1 << 20, "L3": 8 << 20, "memory": 64 << 20}


def test_without_named_caches_the_usual_sizes_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bandwidth, "CACHES", tmp_path / "absent")
    assert [level for level, _ in bandwidth.sizes(1)] == ["L1", "L2", "L3", "memory"]


def test_the_child_loads_numpy_only_after_its_kernels_are_in_place() -> None:
    code = "import sys, harness.machine.limit.child; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


VECTORS = [fma.Vectors("AVX-512", 64, 24), fma.Vectors("AVX2", 32, 12), fma.Vectors("128 bits", 16, 12)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "vectors", [fma.Vectors("AVX-512", 64, 24), fma.Vectors("AVX2", 32, 12), fma.Vectors("128 bits", 16, 12)]
)
def test_the_loop_is_multiply_adds_on_registers_and_nothing_else(dtype: str, vectors: fma.Vectors) -> None:
    llvm = pytest.importorskip("llvmlite.binding")
    text = fma.source(dtype, vectors)
    llvm.parse_assembly(text).verify()
    loop = text.partition("loop:\n")[2].partition("exit:")[0]
    assert loop.count("@llvm.fma.") == vectors.chains
    assert not re.search(r"\b(load|store)\b", loop)


def test_the_limit_is_that_of_the_registers_and_blas_stands_beside_it(measured: dict[str, object]) -> None:
    pytest.importorskip("llvmlite")
    assert measured["limit"] == "multiply-adds on registers"
    assert float(str(measured["blas_gflops"])) > 0.1
    assert measured["gflops"] != measured["blas_gflops"]


def test_without_llvmlite_blas_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    assert fma.peak(1, "float32", 0.01) is None
