"""``Problem``: one point of a study's axes but for the backend: a network on a dataset and how it is trained."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.contract.environment import Option
from harness.contract.network import Network
from harness.datasets.data import Shape
from harness.plan.model import Site
from harness.study.model import Count, DatasetChoice, NetworkChoice, Study

AXES = ("dataset", "networks", "loss", "dtype", "batch", "rate", "seed", "init", "shuffle")


@dataclass(frozen=True)
class Problem:
    """Every axis as the study wrote it, and what it comes to on this machine."""

    axes: Mapping[str, Any]
    network: Network
    options: Mapping[str, Option]
    """Of the dataset, defaults filled in."""
    shape: Shape
    batch: int

    @property
    def unsupported(self) -> str:
        """Why no backend can ever run this; empty where one may."""
        if self.network.loss == "ce" and self.shape.outputs == 1:
            name = self.axes["dataset"].name
            return f"loss 'ce' needs a column for each class, and dataset {name!r} has one output; use 'bce' or 'mse'"
        return ""


def resolved(count: Count, everything: int) -> int:
    """Return a count with ``"all"`` put into figures."""
    return everything if count == "all" else count


class Problems:
    """Makes problems from axes; sizes and networks that come up again are looked up, not made again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._network: Callable[..., Network] = cache(NetworkChoice.network)
        self._datasets: list[tuple[DatasetChoice, dict[str, Option], Shape]] = []

    def of(self, axes: Mapping[str, tuple[Any, ...]]) -> Iterator[Problem]:
        """Yield the product of the axes of a study or of an ``include`` rule."""
        for values in itertools.product(*(axes[name] for name in AXES)):
            yield self._problem(dict(zip(AXES, values, strict=True)))

    def dataset(self, choice: DatasetChoice) -> tuple[dict[str, Option], Shape]:
        """Return all options and the sizes of a dataset."""
        for known, options, shape in self._datasets:
            if known == choice:
                return options, shape
        options = self._site.dataset_options(choice.name, choice.options)
        shape = self._site.shape(choice.name, options)
        self._datasets.append((choice, options, shape))
        return options, shape

    def _problem(self, axes: Mapping[str, Any]) -> Problem:
        options, shape = self.dataset(axes["dataset"])
        network = self._network(axes["networks"], shape.inputs, shape.outputs, axes["loss"], axes["dtype"])
        return Problem(axes, network, options, shape, min(resolved(axes["batch"], shape.rows), shape.rows))


def axes_of(study: Study) -> dict[str, tuple[Any, ...]]:
    """Return the axes of a study that do not belong to a backend."""
    return {name: getattr(study, name) for name in AXES}
