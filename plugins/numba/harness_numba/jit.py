"""Compile functions so that they run without the GIL and are kept on disk; only the first process compiles them.

Numba notices a change in the file of a cached function, but not in the files of the functions that it calls. Therefore
the cache has one folder for every version of this package's sources, also below ``NUMBA_CACHE_DIR``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numba.extending
from numba import config

from harness.plugin import cache_folder

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function at its first use, for the types of its arguments; it is cached and runs without the GIL."""
    return _compiled(function, nogil=True)


def reassociated(function: Function) -> Function:
    """Compile like ``kernel``, but let sums be added up in any order, so that a dot product is vectorised."""
    return _compiled(function, nogil=True, fastmath={"reassoc", "nsz", "contract"})


def parallel(function: Function) -> Function:
    """Compile like ``kernel``, but divide every ``prange`` among the threads of Numba's layer."""
    return _compiled(function, parallel=True)


def inlined(function: Function) -> Function:
    """Compile for use inside kernels only. LLVM inlines the function there, and it is not cached itself."""
    compiled: Function = numba.njit(function, nogil=True)
    return compiled


def intrinsic(define: Callable[..., Any]) -> Any:
    """Make a function that writes LLVM IR callable in kernels; Numba passes its first argument itself."""
    return numba.extending.intrinsic(define)


def c_function(signature: Any, function: Callable[..., Any]) -> Any:
    """Compile now to a cached C function with an ``address``. Callers use the address, so it is not inlined."""
    kept = cached()
    with _cache_folder():
        return numba.cfunc(signature, cache=kept)(function)


def _compiled(function: Function, **options: Any) -> Function:
    kept = cached()
    with _cache_folder():
        compiled: Function = numba.njit(function, cache=kept, **options)
    return compiled


@contextmanager
def _cache_folder() -> Iterator[None]:
    """Let Numba choose our folder for the function that is decorated inside, and for no other function."""
    settings = vars(config)
    before = settings["CACHE_DIR"]
    settings["CACHE_DIR"] = str(Path(before) / _digest()) if before else str(folder())
    try:
        yield
    finally:
        settings["CACHE_DIR"] = before


@cache
def cached() -> bool:
    """Return whether compiled code can be kept on disk; if not, every process compiles for itself."""
    if vars(config)["CACHE_DIR"]:
        return True
    try:
        folder().mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder(), os.W_OK)


@cache
def folder() -> Path:
    """Return the folder of compiled code, below ``XDG_CACHE_HOME``; each version of these sources has its own."""
    return cache_folder() / "numba" / _digest()


def _digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
