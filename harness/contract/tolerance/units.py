"""The table: what one rounding may cost, by dtype and precision."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.errors import RequestError, nearest

SAFETY = 2.0
"""Every unit is taken this many times: sums are added in any order, and roundings are not quite independent."""

ELEMENTWISE = 8.0
"""Roundings that a pointwise function may make: a division, an exponential and their arguments."""


@dataclass(frozen=True)
class Units:
    """Unit roundoffs where a matrix product reads its factors, adds them up and stores what comes out."""

    factors: float
    sums: float
    stored: float
    tiny: float
    """Anything smaller may be flushed to zero, or come from what was: some bits above the smallest normal number."""

    def product(self, terms: int) -> float:
        """Return the relative error of a sum of ``terms`` products, relative to the sum of their sizes.

        Roundings are taken as independent, so that they grow with the root of the number of terms.
        """
        return SAFETY * (2 * self.factors + self.sums * (math.sqrt(terms) + 2) + self.stored)

    @property
    def pointwise(self) -> float:
        """The relative error of one pointwise operation."""
        return SAFETY * ELEMENTWISE * self.stored


SINGLE, DOUBLE = 2.0**-24, 2.0**-53
TABLE: dict[tuple[str, str], Units] = {
    ("float64", "ieee"): Units(0.0, DOUBLE, DOUBLE, 2.0**-1012),
    ("float32", "ieee"): Units(0.0, SINGLE, SINGLE, 2.0**-116),
    ("float32", "tf32"): Units(2.0**-11, SINGLE, SINGLE, 2.0**-116),
    ("float32", "bf16"): Units(2.0**-8, SINGLE, 2.0**-8, 2.0**-116),
}
"""By dtype and by the reserved option ``precision``; the narrow ones concern float32 alone, float64 stays itself."""


def units(dtype: str, precision: str = "ieee") -> Units:
    """Return the row of the table; an unknown precision is a ``RequestError``."""
    known = {row[1] for row in TABLE}
    if precision not in known:
        raise RequestError(f"precision={precision!r} is unknown{nearest(precision, known)}")
    return TABLE[dtype, "ieee" if dtype == "float64" else precision]
