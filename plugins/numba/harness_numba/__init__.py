"""Backends in Numba: ``linalg``, ``neurons`` and ``fused``. Importing this imports neither Numba nor NumPy."""

from __future__ import annotations

from collections.abc import Iterator

from harness import BackendSpec, Options, Variables, hookimpl, library_threads, one_library_thread

INSTALL = "pip install numba"
TEAM = ("pool", "fork")


def openmp(workers: int, options: Options) -> Variables:
    """Give OpenMP ``workers`` threads. With ``team=fork`` idle threads wait passively, because they end soon."""
    passive: Variables = {"OMP_WAIT_POLICY": "passive"} if options.get("team") == "fork" else {}
    return {**library_threads(workers, options), **passive}


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield the three backends."""
    yield BackendSpec(
        api=1,
        name="linalg",
        implementation="harness_numba.linalg:LinalgBackend",
        summary="Plain loops without the GIL, one example at a time; examples divided among Python threads",
        requires=("numba",),
        install=INSTALL,
        parallel="examples",
        algebra="handwritten",
        options={"team": TEAM},
        environment=one_library_thread,
    )
    yield BackendSpec(
        api=1,
        name="neurons",
        implementation="harness_numba.neurons:NeuronsBackend",
        summary="Per-sample training in which each OpenMP thread owns neurons",
        requires=("numba",),
        install=INSTALL,
        parallel="neurons",
        algebra="handwritten",
        options={"team": TEAM},
        environment=openmp,
    )
    yield BackendSpec(
        api=1,
        name="fused",
        implementation="harness_numba.fused.backend:FusedBackend",
        summary="Exact minibatch SGD as fast as the CPU allows: own kernels, neurons owned by threads, updates delayed",
        requires=("numba",),
        install=INSTALL,
        parallel="neurons",
        algebra="handwritten",
        environment=one_library_thread,
    )
