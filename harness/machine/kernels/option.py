"""The option ``kernels`` of backends on NumPy's BLAS: which OpenBLAS architecture runs.

``inherit`` leaves the environment as it is, ``auto`` takes the fastest architecture on this machine, and any other
value is the name of an architecture, such as ``Haswell``. OpenBLAS reads ``OPENBLAS_CORETYPE`` once, when it is loaded,
and silently ignores a name that it does not know. So a backend asks ``require_kernels`` whether its name is in force.
Importing this module loads no NumPy, because the parent computes an environment before any child starts.
"""

from __future__ import annotations

from harness.contract.environment import Options, Variables
from harness.errors import Unavailable
from harness.machine.kernels.openblas import CORETYPE, L2_SIZE, Library, library

INHERIT, AUTO = "inherit", "auto"


def blas_kernels(workers: int, options: Options) -> Variables:  # noqa: ARG001  the signature of an environment
    """Return the variables that put the option ``kernels`` in force, for use in ``BackendSpec.environment``."""
    kernels = str(options.get("kernels", INHERIT))
    if kernels == INHERIT:
        return {}
    if kernels == AUTO:
        from harness.machine.kernels.search import fastest  # noqa: PLC0415  only `auto` pays for a search

        return {CORETYPE: fastest(), L2_SIZE: None}
    return {CORETYPE: kernels}


def require_kernels(kernels: str) -> Library:
    """Return the BLAS in force; raise ``Unavailable`` if ``kernels`` names an architecture that is not in force."""
    blas = library()
    if kernels in (INHERIT, AUTO) or kernels.lower() == blas.architecture.lower():
        return blas
    runs = f"{blas.name} with {blas.architecture or 'its own'} kernels"
    raise Unavailable(
        f"kernels={kernels!r} is not in force: NumPy runs {runs}; the name may be unknown to this library or CPU, or "
        f"{CORETYPE} was not set before NumPy was loaded"
    )
