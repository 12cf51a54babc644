"""``this_site``: what a plan has to know about this process, its plugins and its machine."""

from __future__ import annotations

from harness.contract import options, registry
from harness.contract.spec import BackendSpec
from harness.datasets import shape_of
from harness.errors import RequestError
from harness.machine.cores import memory_gib
from harness.plan.model import Site
from harness.study.catalogue import backends_of


def this_site(cores: int, *, ask: bool = True) -> Site:
    """Return the site of this process, with its registry and its datasets; ``cores`` is what ``"all"`` means.

    Only with ``ask`` are other interpreters started and asked for their backends.
    """

    def spec(name: str, python: str | None) -> BackendSpec | None:
        if python is None:
            return registry.spec(name)
        if not ask:
            return None
        specs = backends_of(python)
        if name not in specs:
            raise RequestError(f"{python} has no backend {name!r}; install it there")
        return specs[name]

    return Site(
        cores=cores,
        spec=spec,
        shape=shape_of,
        dataset_options=lambda name, given: options.resolve(f"dataset {name!r}", registry.dataset(name).options, given),
        missing=registry.missing,
        memory_gib=memory_gib(),
    )
