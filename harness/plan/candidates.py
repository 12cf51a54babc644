"""The candidates of a plan: ``Point`` says what is trained and how, ``Candidate`` adds a backend's configuration.

The rules of a study have not been applied to them yet.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.contract.environment import Option
from harness.contract.network import Network
from harness.contract.spec import BackendSpec
from harness.datasets.data import Shape
from harness.errors import RequestError
from harness.plan.cell import Cell
from harness.plan.model import Site
from harness.study.model import BackendEntry, Count, DatasetChoice, NetworkChoice, Rule, Study

AXES = ("dataset", "networks", "loss", "dtype", "batch", "rate", "seed", "init", "shuffle")
"""The axes of a study that do not belong to a backend."""


@dataclass(frozen=True)
class Point:
    """One value on each axis of ``AXES``, as the study gives it, and what these values mean on this machine."""

    axes: Mapping[str, Any]
    network: Network
    options: Mapping[str, Option]
    """All options of the dataset; those that the study does not give have their default."""
    shape: Shape
    batch: int

    @property
    def unsupported(self) -> str:
        """Why no backend can ever run this point; empty if one can."""
        if self.network.loss == "ce" and self.shape.outputs == 1:
            name = self.axes["dataset"].name
            return f"loss 'ce' needs a column for each class, and dataset {name!r} has one output; use 'bce' or 'mse'"
        return ""


def resolved(count: Count, everything: int) -> int:
    """Return a count as a number; ``everything`` is the number for ``"all"``."""
    return everything if count == "all" else count


class Points:
    """Makes points from axes; each network and each dataset's sizes are worked out only once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._network: Callable[..., Network] = cache(NetworkChoice.network)
        self._datasets: dict[DatasetChoice, tuple[dict[str, Option], Shape]] = {}

    def of(self, axes: Mapping[str, tuple[Any, ...]]) -> Iterator[Point]:
        """Yield a point for every combination of values; ``axes`` come from a study or from an ``include`` rule."""
        for values in itertools.product(*(axes[name] for name in AXES)):
            yield self._point(dict(zip(AXES, values, strict=True)))

    def dataset(self, choice: DatasetChoice) -> tuple[dict[str, Option], Shape]:
        """Return all options and the sizes of a dataset."""
        if choice not in self._datasets:
            options = self._site.dataset_options(choice.name, choice.options)
            self._datasets[choice] = options, self._site.shape(choice.name, options)
        return self._datasets[choice]

    def _point(self, axes: Mapping[str, Any]) -> Point:
        options, shape = self.dataset(axes["dataset"])
        network = self._network(axes["networks"], shape.inputs, shape.outputs, axes["loss"], axes["dtype"])
        return Point(axes, network, options, shape, min(resolved(axes["batch"], shape.rows), shape.rows))


def axes_of(study: Study) -> dict[str, tuple[Any, ...]]:
    """Return the values of every axis in ``AXES``."""
    return {name: getattr(study, name) for name in AXES}


@dataclass(frozen=True)
class Candidate:
    """A backend's configuration on one point: a cell if the rules let it pass."""

    entry: BackendEntry
    spec: BackendSpec | None
    """``None`` if the backend belongs to an interpreter that is not asked."""
    options: Mapping[str, Option]
    workers: int
    point: Point

    def cell(self, study: Study) -> Cell:
        """Return this candidate as a cell of the study."""
        axes = self.point.axes
        return Cell(
            study=study.name,
            backend=self.entry.name,
            options=self.options,
            workers=self.workers,
            batch=self.point.batch,
            network=self.point.network,
            dataset=axes["dataset"].name,
            dataset_options=self.point.options,
            **{name: axes[name] for name in ("rate", "seed", "init", "shuffle")},
            epochs=study.epochs,
            history=study.history,
            time_limit=study.time_limit,
            memory_limit=study.memory_limit,
            python=self.entry.python,
            hosts=self.entry.hosts,
        )


def configurations(
    entry: BackendEntry, spec: BackendSpec | None, cores: int
) -> Iterator[tuple[Mapping[str, Option], int]]:
    """Yield every combination of an entry's options and workers; options that it does not give have their default.

    Without a spec, the defaults are not known, and only the options that the entry gives are there.
    """
    for values in itertools.product(*entry.options.values()):
        given = dict(zip(entry.options, values, strict=True))
        options = given if spec is None else spec.resolve(given)
        for workers in dict.fromkeys(resolved(count, cores) for count in entry.workers):
            yield options, workers


def matches(rule: Rule, candidate: Candidate, site: Site) -> bool:
    """Return whether a candidate has one of the rule's values on every axis and option that the rule names."""
    point = candidate.point
    for axis, values in rule.axes.items():
        if axis == "backend":
            matching = candidate.entry.name in values
        elif axis == "workers":
            matching = candidate.workers in [resolved(value, site.cores) for value in values]
        elif axis == "batch":
            rows = point.shape.rows
            matching = point.batch in [min(resolved(value, rows), rows) for value in values]
        elif axis == "dataset":
            matching = any(_is(choice, point) for choice in values)
        else:
            matching = point.axes[axis] in values
        if not matching:
            return False
    return all(candidate.options.get(name) in values for name, values in rule.options.items())


def _is(choice: DatasetChoice, point: Point) -> bool:
    """Return whether a rule's dataset means this point's: same name, and the same value for each option it gives."""
    return choice.name == point.axes["dataset"].name and choice.options.items() <= point.options.items()


def included(rule: Rule, study: Study, site: Site) -> Iterator[BackendEntry]:
    """Yield the backends that an ``include`` rule adds, with the rule's workers and options instead of the study's.

    A backend for which an option is unknown is left out.
    """
    named = rule.axes.get("backend")
    entries = [entry for entry in study.backends if named is None or entry.name in named]
    present = {entry.name for entry in entries}
    entries += [BackendEntry(name=str(name)) for name in named or () if name not in present]
    for entry in entries:
        workers = rule.axes.get("workers", entry.workers)
        changed = BackendEntry(
            name=entry.name,
            workers=workers,
            options={**entry.options, **rule.options},
            python=entry.python,
            hosts=entry.hosts,
        )
        if _suits(changed, site.spec(entry.name, entry.python)):
            yield changed


def _suits(entry: BackendEntry, spec: BackendSpec | None) -> bool:
    if spec is None:
        return True
    try:
        for name, values in entry.options.items():
            for value in values:
                spec.resolve({name: value})
    except RequestError:
        return False
    return True
