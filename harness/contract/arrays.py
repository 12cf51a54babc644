"""The array types of the contract. Importing this loads NumPy; ``import harness`` alone does not."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A C-ordered NumPy array in the network's dtype, unless a docstring says otherwise."""

Parameters: TypeAlias = list[tuple[Array, Array]]
"""One ``(weights, bias)`` pair a layer: weights of shape ``(inputs, outputs)``, bias of shape ``(outputs,)``."""


def copied(parameters: Parameters, dtype: str | None = None) -> Parameters:
    """Return fresh C-ordered copies that share no memory with the originals, in ``dtype`` where one is given."""
    return [(np.array(w, dtype=dtype, order="C"), np.array(b, dtype=dtype, order="C")) for w, b in parameters]
