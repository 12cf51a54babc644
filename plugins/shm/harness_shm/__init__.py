"""Backend ``shm``: parallel minibatch gradient descent in processes that share their memory, each calling BLAS."""

from __future__ import annotations

from collections.abc import Iterator

from harness import BackendSpec, blas_kernels, combined, hookimpl, one_library_thread


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``shm``; SUP compares it with itself on one worker, which starts no process."""
    yield BackendSpec(
        api=1,
        name="shm",
        implementation="harness_shm.backend:ShmBackend",
        summary="examples divided over processes with shared memory, each with BLAS on one thread",
        requires=("numpy", "threadpoolctl", "harness_blas"),
        install="pip install backprop-harness-shm",
        parallel="examples",
        algebra="blas",
        options={"kernels": ("inherit", "auto", ...)},
        environment=combined(one_library_thread, blas_kernels),
    )
