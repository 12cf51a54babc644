"""Pieces for ``BackendSpec.environment``, which says with which variables the process of a backend starts.

An environment maps ``(workers, options)`` to ``{variable: value}``, ``None`` to unset it. Whatever starts a process
(``run``, ``check``, ``tune``, ``profile``) applies it before the child's Python starts: most numeric libraries read
their variables once, when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

Option: TypeAlias = str | int
Options: TypeAlias = Mapping[str, Option]
Variables: TypeAlias = dict[str, str | None]
Environment: TypeAlias = Callable[[int, Options], Mapping[str, str | None]]

THREAD_VARIABLES = (
    "BLIS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PJRT_NPROC",
    "TF_NUM_INTRAOP_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Every variable by which a known library takes its number of threads."""


def threads(count: int) -> Variables:
    """Return every known library at ``count`` threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(count))


def library_threads(workers: int, options: Options) -> Variables:  # noqa: ARG001  the signature of an environment
    """Give every known library ``workers`` threads: for backends that leave the parallelism to their library."""
    return threads(workers)


def one_library_thread(workers: int, options: Options) -> Variables:  # noqa: ARG001  the signature of an environment
    """Give every known library one thread: for backends whose workers each call a library themselves."""
    return threads(1)


def inherited(workers: int, options: Options) -> Variables:  # noqa: ARG001  the signature of an environment
    """Change nothing: the child starts with the parent's environment as it is."""
    return {}


def combined(*pieces: Environment) -> Environment:
    """Return the environment that applies every piece in order, later ones winning."""

    def environment(workers: int, options: Options) -> Variables:
        variables: Variables = {}
        for piece in pieces:
            variables.update(piece(workers, options))
        return variables

    return environment


def applied(base: Mapping[str, str], variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return ``base`` with ``variables`` set, or removed where their value is ``None``."""
    merged = {**base, **variables}
    return {name: value for name, value in merged.items() if value is not None}
