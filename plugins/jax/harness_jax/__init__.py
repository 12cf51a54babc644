"""The description of the backend ``jax``; only ``backend.py``, in the worker, imports JAX."""

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
    """Keep JAX from a GPU if the device is ``cpu``; on a GPU let it take memory only as it is needed."""
    if options.get("device", "cpu") == "cpu":
        return {"JAX_PLATFORMS": "cpu"}
    return {"JAX_PLATFORMS": None, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
