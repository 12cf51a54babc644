"""The second station: a ``Study`` becomes a ``Plan``, the cells of this machine. Pure: it is told all that it needs."""

from __future__ import annotations

from harness.contract.spec import BackendSpec
from harness.errors import RequestError
from harness.machine.cores import memory_gib
from harness.plan.model import Plan, Refused, Site
from harness.plan.planning import make_plan

__all__ = ["Plan", "Refused", "Site", "make_plan", "this_site"]


def this_site(cores: int) -> Site:
    """Return the site of this process: its registry and datasets, and as many cores as it is told."""
    from harness.contract import options, registry  # noqa: PLC0415  a plan from a told site loads no registry
    from harness.datasets import shape_of  # noqa: PLC0415  as above
    from harness.study.elsewhere import backends_of  # noqa: PLC0415  as above

    def spec(name: str, python: str | None) -> BackendSpec:
        if python is None:
            return registry.spec(name)
        found = backends_of(python)
        if name not in found:
            raise RequestError(f"{python} has no backend {name!r}")
        return found[name]

    return Site(
        cores=cores,
        spec=spec,
        shape=shape_of,
        dataset_options=lambda name, given: options.resolve(f"dataset {name!r}", registry.dataset(name).options, given),
        missing=registry.missing,
        memory_gib=memory_gib(),
    )
