"""The backend ``cuda``, described; Numba is imported by ``backend.py``, in the process that trains."""

from __future__ import annotations

import os
from collections.abc import Iterator

from harness import BackendSpec, Options, Variables, hookimpl, one_library_thread

SIMULATOR = "HARNESS_CUDA_SIMULATOR"
"""At ``1`` the kernels run on Numba's simulator, thread after thread on a CPU: to test them, never to time them."""


def simulator_asked() -> bool:
    """Return whether the user wants the simulator."""
    return os.environ.get(SIMULATOR) == "1"


def environment(workers: int, options: Options) -> Variables:
    """Start the process with or without Numba's simulator: Numba reads its variable once, when it is imported.

    Without the user's word the simulator is off, even where ``NUMBA_ENABLE_CUDASIM`` is set for something else. A small
    batch is what was asked for, so Numba need not warn of a grid that leaves most of the GPU idle.
    """
    own: Variables = {
        "NUMBA_ENABLE_CUDASIM": "1" if simulator_asked() else None,
        "NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS": "0",
    }
    return {**one_library_thread(workers, options), **own}


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``cuda``."""
    yield BackendSpec(
        api=1,
        name="cuda",
        implementation="harness_cuda.backend:CudaBackend",
        summary="The papers' CUDA kernels by hand: tiles in shared memory, or one thread an element",
        requires=("numba_cuda",),
        install="pip install 'numba-cuda[cu13]'",
        parallel="examples",
        algebra="handwritten",
        options={
            "device": ("cuda",),
            "variant": ("paper", "khandait"),
            "slope": ("recompute", "output"),
            "tile": (16, 8, 32),
        },
        counterpart=("linalg", {}),
        environment=environment,
    )
