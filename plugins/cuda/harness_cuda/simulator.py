"""Numba's simulator, mended where the threads of a block may end up with different shared arrays.

The simulator keeps one array for each line that makes one. It looks for the line's array, and makes one if there is
none, in two steps: where Python changes threads between them, the second thread makes an array of its own, and both
threads then wait at a barrier for numbers that the other one never sees. Here it is one step.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

kernelapi: Any = importlib.import_module("numba.cuda.simulator.kernelapi")


def mend() -> None:
    """Let every thread of a block get the same array from ``cuda.shared.array``; doing it twice is fine."""
    kernelapi.FakeCUDAShared.array = _array


def _array(self: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return this line's array; ``setdefault`` cannot be interrupted."""
    caller = sys._getframe(1)  # noqa: SLF001  the simulator, too, knows an array by the line that makes it
    kept: dict[tuple[object, int], Any] = vars(self).setdefault("kept", {})
    return kept.setdefault((caller.f_code, caller.f_lineno), np.empty(shape, dtype))
