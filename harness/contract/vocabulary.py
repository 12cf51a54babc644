"""The words of the contract: what a spec, a network and a reserved option may say, and which of them go together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.contract.activations import Activation

API = 1
"""The version of the contract that this harness speaks."""

Parallel = Literal["none", "examples", "matrix", "neurons", "examples+matrix"]
Algebra = Literal["handwritten", "blas", "library"]
Mathematics = Literal["minibatch", "ensemble"]

DTYPES = ("float32", "float64")
LOSSES = ("mse", "bce", "ce")

RESERVED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"device": ("cpu", "cuda"), "precision": ("ieee", "tf32", "bf16")}
)
"""Option names that mean the same in every backend, and the only values that they may take."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
"""What a backend may be called."""

WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""What an activation and a dataset may be called."""


def mismatch(loss: str, activation: Activation) -> str | None:
    """Return why ``loss`` cannot follow a last layer with ``activation``, or ``None`` where it can."""
    if loss == "ce" and activation.name != "linear":
        return f"loss 'ce' is softmax cross-entropy on logits: the last layer must be 'linear', not {activation.name!r}"
    if loss == "bce" and tuple(activation.range) != (0.0, 1.0):
        low, high = activation.range
        return (
            "loss 'bce' needs a last layer with range (0, 1), such as 'sigmoid'; "
            f"{activation.name!r} has ({low:g}, {high:g})"
        )
    return None
