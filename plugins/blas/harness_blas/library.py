"""The two BLAS routines that NumPy does not offer: a product added to a matrix, and a rank-one update.

``W -= rate * a.T @ delta`` in one call (``beta=1, alpha=-rate``) needs no gradient and saves two passes over ``W``. It
was measured on two Zen 5 cores with net 784-1024-10, batch 128 and float32. A step runs at 257 GFLOP/s on two threads,
and at 198 with a product and a subtraction; on one thread at 189 and 183. ``scipy.linalg.blas`` offers the routine too,
but from a second OpenBLAS with its own thread pool. The two pools spin on each other's cores, and the same step ran at
28. So the routine is taken from the library that NumPy itself uses. ctypes releases the GIL during a call. If that
library does not export the C interface under a known name, NumPy does the work in two steps.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from harness import Array

ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE = 101, 111, 112
NAMES = (
    ("scipy_cblas_{}64_", ctypes.c_int64),
    ("cblas_{}64_", ctypes.c_int64),
    ("cblas_{}$NEWLAPACK$ILP64", ctypes.c_int64),
    ("scipy_cblas_{}", ctypes.c_int32),
    ("cblas_{}", ctypes.c_int32),
)
"""The names that wheels and distributions give the C interface, with the type of its integers."""

AddProduct = Callable[[Array, float, Array, Array], None]
"""Called with ``(c, alpha, a, b)``: ``c += alpha * a.T @ b`` in place, for matrices whose rows are contiguous."""

AddOuter = Callable[[Array, float, Array, Array], None]
"""Called with ``(c, alpha, a, b)``: ``c += alpha * outer(a, b)`` in place, for contiguous vectors."""


class Routines(NamedTuple):
    """The two routines for one dtype; ``folded`` says that BLAS does each in one call, and not NumPy in two steps."""

    add_product: AddProduct
    add_outer: AddOuter
    folded: bool


@cache
def routines(dtype: str) -> Routines:
    """Return the routines for ``float32`` or ``float64``."""
    scalar, letter = (ctypes.c_float, "s") if dtype == "float32" else (ctypes.c_double, "d")
    gemm, ger = _symbol(f"{letter}gemm"), _symbol(f"{letter}ger")
    if gemm is None or ger is None:
        return Routines(_add_product_by_numpy, _add_outer_by_numpy, folded=False)
    return Routines(_add_product(*gemm, scalar), _add_outer(*ger, scalar), folded=True)


def _symbol(routine: str) -> tuple[Any, Any] | None:
    """Return a routine of NumPy's own BLAS with its type of integers, or ``None``.

    The lookup in NumPy's module also searches the libraries that the module depends on.
    """
    module = importlib.import_module("numpy.linalg._umath_linalg")
    if module.__file__ is None:
        return None
    library = ctypes.CDLL(module.__file__)
    for name, integer in NAMES:
        try:
            return library[name.format(routine)], integer
        except AttributeError:
            continue
    return None


def _add_product(gemm: Any, integer: Any, scalar: Any) -> AddProduct:
    enum, pointer = ctypes.c_int, ctypes.c_void_p
    matrix = [pointer, integer]
    gemm.argtypes = [enum, enum, enum, integer, integer, integer, scalar, *matrix, *matrix, scalar, *matrix]
    gemm.restype = None

    def add_product(c: Array, alpha: float, a: Array, b: Array) -> None:
        (m, n), k, size = c.shape, a.shape[0], c.itemsize
        lda, ldb, ldc = a.strides[0] // size, b.strides[0] // size, c.strides[0] // size
        gemm(
            *(ROW_MAJOR, TRANSPOSE, NO_TRANSPOSE, m, n, k, alpha),
            *(_address(a), max(lda, m), _address(b), max(ldb, n), 1.0, _address(c), max(ldc, n)),
        )

    return add_product


def _add_outer(ger: Any, integer: Any, scalar: Any) -> AddOuter:
    vector = [ctypes.c_void_p, integer]
    ger.argtypes = [ctypes.c_int, integer, integer, scalar, *vector, *vector, *vector]
    ger.restype = None

    def add_outer(c: Array, alpha: float, a: Array, b: Array) -> None:
        m, n = c.shape
        ger(ROW_MAJOR, m, n, alpha, _address(a), 1, _address(b), 1, _address(c), n)

    return add_outer


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _add_product_by_numpy(c: Array, alpha: float, a: Array, b: Array) -> None:
    c += alpha * (a.T @ b)


def _add_outer_by_numpy(c: Array, alpha: float, a: Array, b: Array) -> None:
    c += alpha * np.multiply.outer(a, b)
