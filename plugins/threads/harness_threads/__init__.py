"""Backend ``threads``: algorithm 5, parallel minibatch gradient descent, in Python threads that call BLAS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness import BackendSpec, blas_kernels, combined, hookimpl, threads


def team_threads(workers: int, options: Mapping[str, str | int]) -> dict[str, str | None]:
    """Give BLAS as many threads as each Python thread may use."""
    return threads(min(int(options["blas_threads"]), workers))


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``threads``; SUP compares it with itself on one worker."""
    yield BackendSpec(
        api=1,
        name="threads",
        implementation="harness_threads.backend:ThreadsBackend",
        summary="Algorithm 5: examples divided over Python threads, each with BLAS on one thread or more",
        requires=("numpy", "threadpoolctl", "harness_blas"),
        install="pip install backprop-harness-threads",
        parallel="examples",
        algebra="blas",
        options={"blas_threads": (1, 2, ...), "team": ("pool", "fork"), "kernels": ("inherit", "auto", ...)},
        environment=combined(team_threads, blas_kernels),
    )
