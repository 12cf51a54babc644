"""What differed, where, by how much, and what was allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.contract.arrays import Array, Parameters


@dataclass(frozen=True)
class Difference:
    """The worst element outside what was allowed, in one array."""

    what: str
    where: tuple[int, ...]
    got: float
    expected: float
    allowed: float
    outside: int
    """How many elements of the array are outside."""
    size: int

    @property
    def excess(self) -> float:
        """How many times too far it is."""
        distance = abs(self.got - self.expected)
        return distance / self.allowed if self.allowed else float("inf")

    def __str__(self) -> str:
        """Return all of it on one line."""
        index = ", ".join(map(str, self.where))
        distance = abs(self.got - self.expected)
        return (
            f"{self.what}[{index}] is {self.got:.9g}, should be {self.expected:.9g}: differs by {distance:.3g}, "
            f"allowed {self.allowed:.3g}; {self.outside} of {self.size} elements are outside"
        )


def compare(what: str, got: Array, expected: Array, allowed: Array) -> Difference | None:
    """Return the element furthest outside, or ``None``; shapes agree or broadcast. NaN is outside."""
    got = np.asarray(got, dtype=np.float64)
    expected, allowed = np.broadcast_to(expected, got.shape), np.broadcast_to(allowed, got.shape)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        distance = np.where(got == expected, 0.0, np.abs(got - expected))
        fine = distance <= allowed
        ratio = np.where(fine, 0.0, np.nan_to_num(distance / allowed, nan=np.inf, posinf=np.inf))
    if fine.all():
        return None
    where = tuple(int(index) for index in np.unravel_index(np.argmax(ratio), ratio.shape))
    outside = int(np.count_nonzero(~fine))
    return Difference(what, where, float(got[where]), float(expected[where]), float(allowed[where]), outside, got.size)


def compare_parameters(what: str, got: Parameters, expected: Parameters, allowed: Parameters) -> Difference | None:
    """Return the worst difference over all layers; ``what`` is ``"parameters"`` or ``"gradients"``."""
    differences = [
        compare(f"{what}: {part} of layer {index}", pair[side], expected[index][side], allowed[index][side])
        for index, pair in enumerate(got)
        for side, part in enumerate(("weights", "bias"))
    ]
    return max(filter(None, differences), key=lambda difference: difference.excess, default=None)
