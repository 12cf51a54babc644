"""``python -m harness.machine.limit.child``: measure the limit for a number of threads and a dtype, and deliver it.

The limit is that of the best kernels on this machine, whatever the environment says. An inherited
``OPENBLAS_CORETYPE`` can halve the speed of a BLAS, and a share of a halved limit would hide that. So this process
sets the fastest architecture before it loads NumPy.
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
"""Time for all samples of one call: a sixth for multiply-adds on registers, a half for matrix products, a third for
memory."""


def main() -> None:
    """Receive ``threads`` and ``dtype``, and optionally ``seconds`` and ``kernels``; deliver the limit."""
    child.deliver(limit(child.receive()))


def limit(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limit, the best product of BLAS and the bandwidth. Call it once, before NumPy is loaded.

    ``gflops`` is the physical limit, that of multiply-adds on registers; if it is unknown, the best product of BLAS.
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
