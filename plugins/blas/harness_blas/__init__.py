"""Backends ``blas`` and ``example``: NumPy and its BLAS, with whole minibatches or with one example at a time."""

from __future__ import annotations

from collections.abc import Iterator

from harness import BackendSpec, blas_kernels, combined, hookimpl, library_threads

KERNELS = ("inherit", "auto", ...)


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``blas`` and ``example``; both leave the parallelism to the threads of their BLAS."""
    yield BackendSpec(
        api=1,
        name="blas",
        implementation="harness_blas.backend:BlasBackend",
        summary="NumPy: the whole minibatch through BLAS matrix products, update folded into the product",
        requires=("numpy", "threadpoolctl"),
        install="pip install backprop-harness-blas",
        parallel="matrix",
        algebra="blas",
        options={"kernels": KERNELS},
        environment=combined(library_threads, blas_kernels),
    )
    yield BackendSpec(
        api=1,
        name="example",
        implementation="harness_blas.example:ExampleBackend",
        summary="NumPy: one example at a time through BLAS matrix-vector products, one step a batch",
        requires=("numpy", "threadpoolctl"),
        install="pip install backprop-harness-blas",
        parallel="matrix",
        algebra="blas",
        options={"kernels": KERNELS},
        environment=combined(library_threads, blas_kernels),
    )
