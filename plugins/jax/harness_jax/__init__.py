"""The backend ``jax``, described; JAX itself is imported by ``backend.py``, in the worker alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness import BackendSpec, combined, hookimpl, library_threads


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``jax``."""
    yield BackendSpec(
        api=1,
        name="jax",
        implementation="harness_jax.backend:JaxBackend",
        summary="JAX: the epoch as one lax.scan under jit",
        requires=("jax",),
        install="pip install jax",
        parallel="examples+matrix",
        algebra="library",
        options={"device": ("cpu", "cuda"), "precision": ("ieee", "tf32", "bf16")},
        environment=combined(library_threads, platform),
    )


def platform(workers: int, options: Mapping[str, str | int]) -> dict[str, str | None]:  # noqa: ARG001  an environment
    """Keep a CPU cell off the GPU; on a GPU take memory as it is needed, so that ``close`` gives it back."""
    if options.get("device", "cpu") == "cpu":
        return {"JAX_PLATFORMS": "cpu"}
    return {"JAX_PLATFORMS": None, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
