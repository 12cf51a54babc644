"""Variables of the environment that steer a numeric library, an allocator or the interpreter itself."""

from __future__ import annotations

import os

PREFIXES = (
    "ATEN_",
    "BLIS_",
    "CUBLAS_",
    "CUDA_",
    "CUDNN_",
    "DNNL_",
    "GOMP_",
    "GOTO_",
    "JAX_",
    "KERAS_",
    "KMP_",
    "MALLOC_",
    "MKL_",
    "MPICH_",
    "MPIR_",
    "NCCL_",
    "NPY_",
    "NUMBA_",
    "NUMEXPR_",
    "NVIDIA_",
    "NVPL_",
    "OMPI_MCA_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "PJRT_",
    "PYTORCH_",
    "TF_",
    "TORCH_",
    "TORCHINDUCTOR_",
    "VECLIB_",
    "XLA_",
)
NAMES = frozenset(
    {"GLIBC_TUNABLES", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONMALLOC", "PYTHON_GIL", "PYTHON_JIT", "PYTHONOPTIMIZE"}
)
OTHERS = ("TF_CLI_", "TF_VAR_", "TF_TOKEN_", "TF_LOG")
"""Variables of Terraform, which shares the prefix ``TF_`` with TensorFlow."""

PRIVATE = ("TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "API_KEY")
"""A variable with one of these words in its name steers no kernel, and must never be stored."""


def steering() -> dict[str, str]:
    """Return every steering variable that is set in this process, sorted by name."""
    return {name: value for name, value in sorted(os.environ.items()) if steers(name)}


def steers(name: str) -> bool:
    """Return whether a variable of this name belongs into the receipt."""
    if name.startswith(OTHERS) or any(word in name for word in PRIVATE):
        return False
    return name in NAMES or name.startswith(PREFIXES)
