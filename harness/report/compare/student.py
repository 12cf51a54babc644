"""Student's t distribution for any degrees of freedom: the core has NumPy, which lacks it, and does without SciPy.

The tail is the incomplete beta function by its continued fraction (Lentz's method; Numerical Recipes, 6.4).
"""

from __future__ import annotations

import math
from functools import lru_cache

TINY = 1e-300
ENOUGH = 1e-14
MOST_TERMS = 500


def tail(t: float, freedom: float) -> float:
    """Return the probability of a value above ``t`` with so many degrees of freedom."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    above = 0.5 * _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)
    return above if t >= 0 else 1 - above


@lru_cache(maxsize=4096)
def quantile(above: float, freedom: float) -> float:
    """Return the value that is exceeded with probability ``above``, at most one half."""
    low, high = 0.0, 1.0
    while tail(high, freedom) > above:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, freedom) > above else (low, middle)
    return high


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function, by whichever of its two fractions converges fast."""
    if x in (0.0, 1.0):
        return x
    factors = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(factors) * _fraction(x, a, b) / a
    return 1 - math.exp(factors) * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            c, d = _nonzero(1 + term / c), 1 / _nonzero(1 + term * d)
            value *= c * d
        if abs(c * d - 1) < ENOUGH:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > TINY else TINY
