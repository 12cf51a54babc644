"""The spec of ``slowed``: another backend made slower by a known share, so that a gate can be tested with the truth.

It exists only in processes where ``harness gate`` asks for it by a variable: it is no contender, and no list, no
study and no check of all backends should meet it. Its rows say what they are: backend ``slowed``, options ``base`` and
``percent``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from harness.contract.environment import Option, Options
from harness.contract.spec import API, BackendSpec
from harness.errors import Unsupported

VARIABLE = "HARNESS_GATE_SLOWED"
NAME = "slowed"


def specs() -> Iterator[BackendSpec]:
    """Yield the spec where the gate is at work, else nothing."""
    if os.environ.get(VARIABLE):
        yield BackendSpec(
            api=API,
            name=NAME,
            implementation="harness.session.gate.slowed:Slowed",
            summary="another backend that wastes a known share of its own time, to test the gate",
            parallel="none",
            algebra="library",
            options={"base": ("blas", ...), "percent": (10, ...)},
            environment=_environment,
        )


def base_of(word: str) -> tuple[BackendSpec, dict[str, Option]]:
    """Return the spec and all options of the backend that ``name[option=value;option=value]`` means."""
    from harness.contract.registry import spec  # noqa: PLC0415  the registry is what calls ``specs``
    from harness.report.compare.sides import spelled  # noqa: PLC0415  loads NumPy

    name, pins = spelled(word)
    base = spec(name)
    if base.launcher is not None or name == NAME:
        raise Unsupported(f"{NAME}: {name!r} cannot be slowed, because other processes do its work")
    return base, base.parse(pins)


def _environment(workers: int, options: Options) -> Mapping[str, str | None]:
    """Start exactly as the base is started."""
    base, chosen = base_of(str(options["base"]))
    return base.environment(workers, chosen)
