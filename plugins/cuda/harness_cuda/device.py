"""Numba's CUDA in one place: whether a device can be had, arrays on it, and functions compiled for it.

Everything else of this package imports ``cuda`` from here, so that another compiler of the same kernels has one door.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numba import config, types
from numba.core.errors import NumbaError

from harness import Array, Unavailable
from harness_cuda import SIMULATOR, simulator_asked

cuda: Any = importlib.import_module("numba.cuda")
"""The package of numba-cuda, which says nothing of its types."""

DeviceArray: TypeAlias = Any
"""A matrix in the memory of the device: two dimensions, C-ordered, float32 or float64."""

Real: TypeAlias = Any
"""The network's dtype as a function that kernels call: ``numpy.float32`` or ``numpy.float64``."""


def real(dtype: str) -> Real:
    """Return the function that makes numbers of a dtype."""
    return getattr(np, dtype)


def kernel(function: Callable[..., None]) -> Any:
    """Compile for the device on first use; call it as ``kernel[blocks, threads](arguments)``."""
    return cuda.jit(function)


def inner(function: Callable[..., Any]) -> Any:
    """Compile for use inside kernels."""
    return cuda.jit(function, device=True)


def simulated() -> bool:
    """Return whether Numba runs kernels on its simulator in this process."""
    return bool(vars(config)["ENABLE_CUDASIM"])


if simulated():
    from harness_cuda import simulator

    simulator.mend()


def require() -> None:
    """Raise ``Unavailable`` with the reason where no kernel can run."""
    if simulated() and not simulator_asked():
        raise Unavailable(
            f"NUMBA_ENABLE_CUDASIM is set, so Numba sees its simulator and no GPU: unset it, or set {SIMULATOR}=1 too"
        )
    if simulator_asked() and not simulated():
        raise Unavailable(
            f"{SIMULATOR}=1 needs a Python that was started with NUMBA_ENABLE_CUDASIM=1: `harness run` and "
            "`harness check` start theirs so, any other program needs both variables"
        )
    reason = "" if simulated() else _reason()
    if reason:
        raise Unavailable(reason)


@functools.cache
def _reason() -> str:
    """Return why a kernel of one thread does not run here, or nothing where it runs; asked once a process."""
    try:
        answer = cuda.device_array((1, 1), np.float32)
        _probe[1, 1](answer)
        found = float(answer.copy_to_host()[0, 0])
    except _faults() as error:
        said = " ".join(str(error).split()).rstrip(" :.") or type(error).__name__
        hint = f"see `nvidia-smi`, or let {SIMULATOR}=1 run the kernels on a simulator"
        return f"no CUDA device runs a kernel here: {said}: {hint}"
    return "" if found == 1.0 else f"no CUDA device that can be trusted: the first kernel wrote {found:g} instead of 1"


def _faults() -> tuple[type[Exception], ...]:
    """Return what Numba raises where a driver, a GPU or a compiler is missing or does not suit the others."""
    error = importlib.import_module("numba.cuda.cudadrv.error")
    own = (error.CudaDriverError, error.CudaRuntimeError, error.NvvmError, error.NvrtcError)
    return (*own, ImportError, OSError, RuntimeError)


@kernel
def _probe(answer: DeviceArray) -> None:
    answer[0, 0] = 1.0


def upload(array: Array) -> DeviceArray:
    """Return a copy on the device."""
    return cuda.to_device(np.ascontiguousarray(array))


def empty(rows: int, columns: int, dtype: str) -> DeviceArray:
    """Return a matrix on the device with nothing written to it."""
    return cuda.device_array((rows, columns), dtype)


def download(array: DeviceArray) -> Array:
    """Wait for the device and return a copy on the host."""
    host: Array = array.copy_to_host()
    return host


def sync() -> None:
    """Wait until every kernel has ended."""
    cuda.synchronize()


def release() -> None:
    """Give dropped memory back to the device now; Numba would keep it for later."""
    if not simulated():
        cuda.current_context().deallocations.clear()


def facts() -> dict[str, str | int | float]:
    """Say which device runs, or that none does."""
    if simulated():
        note = (
            f"emulated by Numba's CUDA simulator on a CPU ({SIMULATOR}=1): no GPU ran, and no time here is one of a GPU"
        )
        return {"device": "simulator", "note": note}
    device = cuda.get_current_device()
    major, minor = device.compute_capability
    return {"device": str(device.name), "compute_capability": f"{major}.{minor}"}


def why_not(function: Callable[..., float], arguments: int) -> str:
    """Return why a scalar function of so many float64 cannot be compiled for a device, or nothing where it can."""
    if simulated():
        return ""
    try:
        cuda.compile_ptx(function, types.float64(*[types.float64] * arguments), device=True, cc=(8, 0))
    except NumbaError as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        return next((line for line in said if not line.startswith("Failed in")), type(error).__name__)
    return ""
