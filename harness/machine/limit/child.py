"""``python -m harness.machine.limit.child``: measure the limit at so many threads and one dtype, and deliver it.

The limit is that of the best kernels available, whatever the environment asks of the cells: an inherited
``OPENBLAS_CORETYPE`` can halve a BLAS, and a share of a halved peak would hide it. So the child puts the fastest
architecture in place before NumPy is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from harness.contract.environment import applied, threads
from harness.machine.kernels.option import AUTO, blas_kernels
from harness.machine.limit import fma
from harness.machine.process import child

SECONDS = 0.9
"""All samples of one call together: a sixth for multiply-adds on registers, a half for matrix products."""


def main() -> None:
    """Receive ``{"threads", "dtype"}``, optionally ``"seconds"`` and ``"kernels"``, and deliver the limit."""
    child.deliver(limit(child.receive()))


def limit(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limit, BLAS's best product and the bandwidth; call it once, in a process that has not loaded NumPy.

    ``gflops`` is the physical limit, multiply-adds on registers alone, or BLAS's best product where that is unknown.
    """
    count, dtype = int(request["threads"]), str(request["dtype"])
    seconds = float(request.get("seconds", SECONDS))
    kernels = str(request.get("kernels", AUTO))
    inherited = os.environ.get("OPENBLAS_CORETYPE", "")
    _put_in_place(count, kernels)
    from harness.machine.kernels.openblas import library  # noqa: PLC0415  loads NumPy, which must not happen before
    from harness.machine.limit.bandwidth import bandwidth  # noqa: PLC0415  as above
    from harness.machine.limit.gemm import peak  # noqa: PLC0415  as above

    registers, product = fma.peak(count, dtype, seconds / 6), peak(dtype, seconds / 2)
    return {
        "threads": count,
        "dtype": dtype,
        **library().facts(),
        "inherited": inherited,
        "gflops": (registers or product)["gflops"],
        "limit": "multiply-adds on registers" if registers else "product of BLAS",
        "vectors": registers["vectors"] if registers else "",
        "blas_gflops": product["gflops"],
        **{name: product[name] for name in ("size", "spread", "sizes")},
        "bandwidth": bandwidth(count, dtype, seconds / 3),
    }


def _put_in_place(count: int, kernels: str) -> None:
    variables = {**threads(count), **blas_kernels(count, {"kernels": kernels})}
    wanted = applied(os.environ, variables)
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    os.environ.update(wanted)


if __name__ == "__main__":
    main()
