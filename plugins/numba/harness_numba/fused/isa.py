"""The vectors and tiles of the kernels, chosen once by the CPU features for which Numba compiles.

``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` change these features, and so the choice made here. Numba keeps code for
different features apart in its cache.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from numba.core.registry import cpu_target

VECTORS = 2
"""Vectors side by side in a panel. Every scalar of the left factor is loaded once and used for both."""


@dataclass(frozen=True)
class Isa:
    """A kind of CPU. Its tiles are the largest that fit into its vector registers."""

    name: str
    vector_bytes: int
    product_rows: int
    """Rows of the widest product tile: ``product_rows * VECTORS`` accumulators."""
    dot_rows: int
    """Rows of the widest dot tile, which has four columns."""
    panels_by_4: int
    """Panels that a product tile with four rows takes."""
    panels_by_2: int
    """Panels that a product tile with two rows takes."""

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
    """Return the kind of CPU for which Numba compiles, or ``None`` if these kernels cannot run on it."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    has = set(features.split(","))
    if not triple.startswith("x86_64") or not hasattr(os, "sched_yield"):
        return None
    if "+avx512f" in has:
        return AVX512
    return AVX2 if {"+avx2", "+fma"} <= has else None


ISA = chosen()
KERNELS = ISA or AVX2
"""The kind of CPU for which the kernels are written. They are never compiled if ``ISA`` is ``None``."""
