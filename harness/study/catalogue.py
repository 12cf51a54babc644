"""``Catalogue``: the names that a study may use, with what is known of each; given to the parser, so it stays pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.contract.activations import Activation
from harness.contract.dataset import Dataset
from harness.contract.environment import Option
from harness.contract.spec import BackendSpec

Check = Callable[[str, Mapping[str, Option]], Any]


def _unchecked(_name: str, _options: Mapping[str, Option]) -> None:
    return None


def _nothing(_python: str) -> Mapping[str, BackendSpec]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is installed here, and ways to ask further."""

    backends: Mapping[str, BackendSpec]
    datasets: Mapping[str, Dataset]
    activations: Mapping[str, Activation]
    check_dataset: Check = _unchecked
    """Refuses options of a dataset that its table cannot refuse (rows of 0, say), without loading it."""
    elsewhere: Callable[[str], Mapping[str, BackendSpec]] = _nothing
    """The backends of another interpreter, by its path; raises ``RequestError`` where it has no harness."""


def installed() -> Catalogue:
    """Return the catalogue of this process's registry."""
    from harness.contract.registry import registry  # noqa: PLC0415  as above
    from harness.datasets import shape_of  # noqa: PLC0415  the registry is loaded when it is first asked
    from harness.study.elsewhere import backends_of  # noqa: PLC0415  starts processes, only where a study asks

    found = registry()

    def check(name: str, options: Mapping[str, Option]) -> None:
        if found.datasets[name].shape:
            shape_of(name, options)

    return Catalogue(
        backends=found.backends,
        datasets=found.datasets,
        activations=found.activations,
        check_dataset=check,
        elsewhere=backends_of,
    )
