"""The BLAS that NumPy runs on, and the variables by which OpenBLAS chooses its kernels.

Importing this module loads no NumPy, because the parent computes an environment before any child starts.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

CORETYPE = "OPENBLAS_CORETYPE"
L2_SIZE = "OPENBLAS_L2_SIZE"


class Library(NamedTuple):
    """The BLAS that NumPy runs on: ``openblas``, its version and the architecture whose kernels it chose."""

    name: str
    version: str
    architecture: str

    def facts(self) -> dict[str, str]:
        """Return the entries that a backend adds to its own ``facts``."""
        return {"blas": f"{self.name} {self.version}".strip(), "kernels": self.architecture or "its own"}


@cache
def library() -> Library:
    """Return the BLAS of this process's NumPy; this imports NumPy. The name is ``unknown`` if there is none."""
    import numpy as np  # noqa: PLC0415  see the module's docstring
    import threadpoolctl  # noqa: PLC0415  as above

    del np  # imported so that its BLAS is loaded
    pools = [entry for entry in threadpoolctl.threadpool_info() if entry["user_api"] == "blas"]
    pools.sort(key=lambda entry: "numpy" not in entry["filepath"])
    if not pools:
        return Library("unknown", "", "")
    first = pools[0]
    return Library(first["internal_api"], first["version"] or "", first.get("architecture", ""))
