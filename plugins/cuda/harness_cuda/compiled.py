"""Compile every kernel without a GPU: ``python -m harness_cuda.compiled`` prints what each one takes of a device.

Numba makes PTX of a kernel, and the linker that comes with it makes machine code of the PTX. Neither needs a driver.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from numba import types

from harness import Network
from harness_cuda import khandait_kernels as k1
from harness_cuda import paper_kernels as k5
from harness_cuda import variant
from harness_cuda.device import cuda, real
from harness_cuda.pointwise import error, pointwise

core: Any = importlib.import_module("cuda.core")
dispatcher: Any = importlib.import_module("numba.cuda.dispatcher")

ARCHITECTURES = ((8, 0), (9, 0))
"""A100, and H100 or H200."""

LOSSES = {"mse": "tanh", "bce": "sigmoid", "ce": "linear"}
"""Every loss, with a last layer that it can follow."""


@dataclass(frozen=True)
class Compilable:
    """A kernel and the types of its arguments."""

    name: str
    kernel: Any
    arguments: tuple[Any, ...]

    def ptx(self, architecture: tuple[int, int]) -> str:
        """Return its PTX."""
        with _instead_of_a_driver(architecture):
            text, _ = cuda.compile_ptx(self.kernel.py_func, types.void(*self.arguments), cc=architecture)
        return str(text)

    def footprint(self, architecture: tuple[int, int]) -> Footprint:
        """Return what it takes of a device: ptxas says it, but for the shared memory, which stands in the PTX."""
        ptx = self.ptx(architecture)
        options = core.LinkerOptions(arch=gpu(architecture), ptxas_options=["-v"])
        linker = core.Linker(core.ObjectCode.from_ptx(ptx.encode(), name=self.name), options=options)
        linker.link("cubin")
        return Footprint.read(ptx, str(linker.get_info_log()))


@dataclass(frozen=True)
class Footprint:
    """What one thread and one block take of a device."""

    registers: int
    shared: int
    """Bytes of shared memory a block."""
    stack: int
    """Bytes of stack a thread; with what is spilled, these lie in the slow memory of the device."""
    spilled: int
    """Bytes a thread that did not fit into its registers, stores and loads."""

    @classmethod
    def read(cls, ptx: str, log: str) -> Footprint:
        """Read it from the PTX and from what ptxas prints."""
        shared = sum(map(int, re.findall(r"\.shared [^\n]*\[(\d+)\];", ptx)))
        spilled = _number(r"(\d+) bytes spill stores", log) + _number(r"(\d+) bytes spill loads", log)
        return cls(_number(r"Used (\d+) registers", log), shared, _number(r"(\d+) bytes stack", log), spilled)


def gpu(architecture: tuple[int, int]) -> str:
    """Return a generation's name, such as ``sm_90``."""
    return "sm_{}{}".format(*architecture)


def _number(pattern: str, log: str) -> int:
    found = re.search(pattern, log)
    if not found:
        raise ValueError(f"no {pattern!r} in what ptxas says: {log}")
    return int(found.group(1))


@contextmanager
def _instead_of_a_driver(architecture: tuple[int, int]) -> Iterator[None]:
    """Answer for the driver: Numba asks it for which GPU to compile a function that a kernel calls, even when told."""
    asked = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=architecture)
    try:
        yield
    finally:
        dispatcher.get_current_device = asked


def paper(dtype: str, tile: int, activation: str = "sigmoid", loss: str = "mse") -> Iterator[Compilable]:
    """Yield every kernel of ``paper`` for a dtype, a tile, the activation of a hidden layer and a loss."""
    number, f, wrong = real(dtype), pointwise(activation, real(dtype)), _error(dtype, loss)
    matrix, count, scale = _types(dtype)
    yield Compilable("forward", k5.forward(number, tile, f.value), (matrix, matrix, count, count, matrix))
    yield Compilable("output_delta", k5.output_delta(number, tile, wrong), (matrix, matrix, count, count, matrix))
    yield Compilable("transposed_product", k5.transposed_product(number, tile), (matrix, matrix, count, matrix))
    again = k5.hadamard_slope(number, tile, f.value, f.slope)
    yield Compilable("hadamard_slope", again, (matrix, matrix, count, count, matrix))
    if f.from_output:
        kept = k5.hadamard_slope_from_output(number, tile, f.slope)
        yield Compilable("hadamard_slope_from_output", kept, (matrix, count, matrix))
    update = (matrix, matrix, count, count, scale, matrix, matrix)
    yield Compilable("weight_update", k5.weight_update(number, tile), update)


def khandait(dtype: str, activation: str = "sigmoid", loss: str = "mse") -> Iterator[Compilable]:
    """Yield every kernel of ``khandait``, and the step that both variants share."""
    number, f, wrong = real(dtype), pointwise(activation, real(dtype)), _error(dtype, loss)
    matrix, count, scale = _types(dtype)
    yield Compilable("linear_forward", k1.linear_forward(number), (matrix, matrix, matrix, count, count, matrix))
    yield Compilable("activation_forward", k1.activation_forward(number, f.value), (matrix, count, matrix))
    yield Compilable("loss_backward", k1.loss_backward(number, wrong), (matrix, matrix, count, count, matrix))
    yield Compilable("activation_backward", k1.activation_backward(number, f.slope), (matrix, matrix, count, matrix))
    again = k1.activation_backward_again(number, f.value, f.slope)
    yield Compilable("activation_backward_again", again, (matrix, count, matrix))
    yield Compilable("linear_backward", k1.linear_backward(number), (matrix, matrix, count, matrix))
    update = (matrix, matrix, count, count, scale, matrix, matrix)
    yield Compilable("linear_update", k1.linear_update(number), update)
    yield Compilable("bias_update", k1.bias_update(number), (matrix, count, scale, matrix, matrix))
    yield Compilable("descend", variant.descend(number), (matrix, scale, matrix))


def _types(dtype: str) -> tuple[Any, Any, Any]:
    """Return the types of a matrix, of a count and of a scale."""
    scale = getattr(types, dtype)
    return types.Array(scale, 2, "C"), types.int64, scale


def _error(dtype: str, loss: str) -> Any:
    return error(Network.dense([1, 1], activation=LOSSES[loss], loss=loss, dtype=dtype), real(dtype))


def main() -> None:
    """Print a table of all kernels in float32."""
    print("| kernel | tile | GPU | registers a thread | shared bytes a block | stack and spilled bytes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for tile in (8, 16, 32):
        _print(paper("float32", tile), str(tile))
    _print(khandait("float32"), "")


def _print(kernels: Iterable[Compilable], tile: str) -> None:
    for one in kernels:
        for architecture in ARCHITECTURES:
            took = one.footprint(architecture)
            cells = (f"`{one.name}`", tile, gpu(architecture), took.registers, took.shared, took.stack + took.spilled)
            print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
