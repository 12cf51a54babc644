"""The spec of ``slowed``: another backend, slowed by a known share, so that the gate can be tested with the truth.

It exists only in processes for which ``harness gate`` sets a variable. It is no real backend, so it must not appear in
a list, a study or a check of all backends. Its rows have the backend ``slowed`` and the options ``base`` and
``percent``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from harness.contract.environment import Option, Options
from harness.contract.spec import BackendSpec
from harness.contract.vocabulary import API
from harness.errors import Unsupported

VARIABLE = "HARNESS_GATE_SLOWED"
NAME = "slowed"


def specs() -> Iterator[BackendSpec]:
    """Yield the spec if the gate is at work, otherwise nothing."""
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
    """Return the spec and all options of the backend that ``name[option=value;option=value]`` names."""
    from harness.contract.registry import spec  # noqa: PLC0415  the registry is what calls ``specs``
    from harness.report.compare.sides import spelled  # noqa: PLC0415  loads NumPy

    name, pins = spelled(word)
    base = spec(name)
    if base.launcher is not None or name == NAME:
        raise Unsupported(f"{NAME}: {name!r} cannot be slowed, because other processes do its work")
    return base, base.parse(pins)


def _environment(workers: int, options: Options) -> Mapping[str, str | None]:
    """Return the environment of the base, so that both start in the same way."""
    base, chosen = base_of(str(options["base"]))
    return base.environment(workers, chosen)
