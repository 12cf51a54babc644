"""``this_site``: what a plan has to know of this process, its plugins and its machine."""

from __future__ import annotations

from harness.contract import options, registry
from harness.contract.spec import BackendSpec
from harness.datasets import shape_of
from harness.errors import RequestError
from harness.machine.cores import memory_gib
from harness.plan.model import Site
from harness.study.elsewhere import backends_of


def this_site(cores: int) -> Site:
    """Return the site of this process: its registry and datasets, and as many cores as it is told."""

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
