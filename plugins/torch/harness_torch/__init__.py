"""The backend ``torch``, described; PyTorch itself is imported by ``backend.py``, in the worker alone."""

from __future__ import annotations

from collections.abc import Iterator

from harness import BackendSpec, hookimpl, library_threads


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``torch``."""
    yield BackendSpec(
        api=1,
        name="torch",
        implementation="harness_torch.backend:TorchBackend",
        summary="PyTorch: matrix operations, eager, compiled or captured in a CUDA graph",
        requires=("torch",),
        install="pip install torch",
        parallel="matrix",
        algebra="library",
        options={
            "device": ("cpu", "cuda"),
            "mode": ("eager", "compile", "graph"),
            "precision": ("ieee", "tf32", "bf16"),
        },
        environment=library_threads,
    )
