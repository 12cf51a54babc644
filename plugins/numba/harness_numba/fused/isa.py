"""Which vectors and tiles the kernels are made of: read once from the features that Numba compiles for.

``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` change what Numba compiles for, and with it what is chosen here; Numba
keeps the compiled code of different features apart.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from numba.core.registry import cpu_target

VECTORS = 2
"""Vectors side by side in a panel: every scalar of the left factor is used twice for one load."""


@dataclass(frozen=True)
class Isa:
    """A kind of CPU. Tiles are as large as its vector registers hold without spilling."""

    name: str
    vector_bytes: int
    product_rows: int
    """Rows of the widest product tile: ``product_rows * VECTORS`` accumulators."""
    dot_rows: int
    """Rows of the widest dot tile, which has four columns."""
    panels_by_4: int
    """Panels of the product tile with four rows."""
    panels_by_2: int
    """Panels of the product tile with two rows."""

    def lanes(self, itemsize: int) -> int:
        """Return how many numbers of ``itemsize`` bytes a vector holds."""
        return self.vector_bytes // itemsize

    @property
    def panel_bytes(self) -> int:
        """Width of a panel: the columns that one tile computes together."""
        return VECTORS * self.vector_bytes


AVX512 = Isa("avx512", 64, product_rows=8, dot_rows=4, panels_by_4=2, panels_by_2=4)
AVX2 = Isa("avx2", 32, product_rows=6, dot_rows=2, panels_by_4=1, panels_by_2=2)


def chosen() -> Isa | None:
    """Return the kind of CPU that Numba compiles for, or ``None`` where these kernels do not apply."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    has = set(features.split(","))
    if not triple.startswith("x86_64") or not hasattr(os, "sched_yield"):
        return None
    if "+avx512f" in has:
        return AVX512
    return AVX2 if {"+avx2", "+fma"} <= has else None


ISA = chosen()
KERNELS = ISA or AVX2
"""What the kernels are written for; never compiled where ``ISA`` is ``None``."""
