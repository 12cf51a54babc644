"""The description of the backend ``keras``; only ``backend.py``, in the worker, imports Keras and TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness import BackendSpec, combined, hookimpl, library_threads


@hookimpl
def harness_backends() -> Iterator[BackendSpec]:
    """Yield ``keras``."""
    yield BackendSpec(
        api=1,
        name="keras",
        implementation="harness_keras.backend:KerasBackend",
        summary="Keras 3 on TensorFlow: fit as a user writes it, or an epoch in one XLA function",
        requires=("keras", "tensorflow"),
        install="pip install keras tensorflow",
        parallel="examples+matrix",
        algebra="library",
        options={"device": ("cpu", "cuda"), "mode": ("function", "fit"), "precision": ("ieee", "tf32")},
        environment=combined(library_threads, tensorflow),
    )


def tensorflow(workers: int, options: Mapping[str, str | int]) -> dict[str, str | None]:
    """Choose engine, threads and devices, and keep TensorFlow's messages out of standard error."""
    variables: dict[str, str | None] = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": str(workers),
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    if options.get("device", "cpu") == "cpu":
        variables["CUDA_VISIBLE_DEVICES"] = "-1"
    return variables
