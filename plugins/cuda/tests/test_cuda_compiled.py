"""Every kernel is compiled for two generations of GPUs, without one: to PTX by Numba, to machine code by the linker."""

from __future__ import annotations

import math
import re

import pytest
from harness_cuda import compiled
from harness_cuda.compiled import ARCHITECTURES, LOSSES, Compilable, Footprint, gpu
from harness_cuda.device import real
from harness_cuda.pointwise import pointwise

import harness
from harness import Unsupported
from tests.fakes.registering import register

TILED = ("forward", "transposed_product", "hadamard_slope", "weight_update")
BYTES = {"float32": 4, "float64": 8}
REGISTERS_OF_A_BLOCK = 65536


def checked(one: Compilable, architecture: tuple[int, int]) -> tuple[str, Footprint]:
    """Compile a kernel; it is one entry that calls nothing and keeps everything in registers."""
    ptx, took = one.ptx(architecture), one.footprint(architecture)
    assert f".target {gpu(architecture)}\n" in ptx, one.name
    assert len(re.findall(r"^\.visible \.entry", ptx, re.MULTILINE)) == 1, one.name
    assert not re.search(r"^\s*call|\.local|^\.func", ptx, re.MULTILINE), one.name
    assert (took.stack, took.spilled) == (0, 0), one.name
    return ptx, took


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=gpu)
@pytest.mark.parametrize("tile", [8, 16, 32])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_kernels_of_paper_compile(dtype: str, tile: int, architecture: tuple[int, int]) -> None:
    for one in compiled.paper(dtype, tile):
        ptx, took = checked(one, architecture)
        assert took.registers * tile * tile <= REGISTERS_OF_A_BLOCK, one.name
        padded = one.name in {"forward", "hadamard_slope"}
        tiles = (tile * tile + tile * (tile + padded)) * BYTES[dtype] if one.name in TILED else 0
        assert took.shared == tiles, one.name
        if one.name in TILED:
            barriers = ptx.count("bar.sync")  # two a tile, and the loop over small tiles may be unrolled too
            assert barriers >= 2 and barriers % 2 == 0, one.name  # noqa: PT018  one sentence
            assert ptx.count(f"fma.rn.f{dtype[-2:]}") >= tile, f"{one.name}: the loop over a tile is not unrolled"


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=gpu)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_kernels_of_khandait_compile_and_use_no_shared_memory(dtype: str, architecture: tuple[int, int]) -> None:
    for one in compiled.khandait(dtype):
        ptx, _ = checked(one, architecture)
        assert not re.search(r"\.shared|bar\.sync|atom\.", ptx), one.name


def both(activation: str, loss: str) -> list[Compilable]:
    """Return the kernels that call an activation or a loss."""
    kernels = [*compiled.paper("float32", 16, activation, loss), *compiled.khandait("float32", activation, loss)]
    words = ("forward", "slope", "output", "loss", "activation")
    return [one for one in kernels if any(word in one.name for word in words)]


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "tanh", "relu"])
def test_every_activation_compiles_and_a_float32_kernel_computes_in_float32_alone(activation: str) -> None:
    for one in both(activation, "mse"):
        assert ".f64" not in checked(one, (9, 0))[0], one.name


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_compiles_and_a_float32_kernel_computes_in_float32_alone(loss: str) -> None:
    for one in both("sigmoid", loss):
        assert ".f64" not in checked(one, (9, 0))[0], one.name


BENT = harness.Activation(
    "bent",
    lambda xp, z: (xp.sqrt(z * z + 1) - 1) / 2 + z,
    lambda xp, z, _a: z / (2 * xp.sqrt(z * z + 1)) + 1,
    (-float("inf"), float("inf")),
    lambda z: (math.sqrt(z * z + 1.0) - 1.0) / 2.0 + z,
    lambda z, _a: z / (2.0 * math.sqrt(z * z + 1.0)) + 1.0,
)


def test_a_registered_activation_is_compiled_into_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, BENT)
    names = [one.name for one in both("bent", "mse") if ".f64" in checked(one, (9, 0))[0]]
    assert "hadamard_slope" in names
    assert "hadamard_slope_from_output" not in names


def test_a_scalar_form_that_cuda_cannot_compile_is_unsupported_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = (lambda z: z.nothing, lambda z, _a: z)
    strange = harness.Activation("strange", BENT.value, BENT.slope, BENT.range, *pair)
    register(monkeypatch, strange)
    with pytest.raises(Unsupported, match=r"activation 'strange': Numba cannot compile <lambda> for CUDA: .*nothing"):
        pointwise("strange", real("float32"))


def test_an_activation_without_a_scalar_form_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, harness.Activation("whole", BENT.value, BENT.slope, BENT.range))
    with pytest.raises(Unsupported, match="'whole' has no scalar_value"):
        pointwise("whole", real("float32"))
