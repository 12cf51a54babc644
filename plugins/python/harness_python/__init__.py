"""Backend ``python``: the papers' naive serial and multicore programs in pure Python."""

from __future__ import annotations

from collections.abc import Iterator

from harness import BackendSpec, hookimpl, one_library_thread


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``python``; no library computes for it, so one thread each is all that libraries get."""
    yield BackendSpec(
        api=1,
        name="python",
        implementation="harness_python.backend:PythonBackend",
        summary="pure Python lists, examples divided over Python threads; scales where there is no GIL",
        requires=("numpy",),
        install="pip install backprop-harness-python",
        parallel="examples",
        algebra="handwritten",
        environment=one_library_thread,
    )
