"""``Candidate``: a backend's configuration on a problem, before the rules have had their say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.contract.environment import Option
from harness.contract.spec import BackendSpec
from harness.errors import RequestError
from harness.plan.cell import Cell
from harness.plan.model import Site
from harness.plan.problems import Problem, resolved
from harness.study.model import BackendEntry, DatasetChoice, Rule, Study


@dataclass(frozen=True)
class Candidate:
    """One cell to be."""

    entry: BackendEntry
    spec: BackendSpec
    options: Mapping[str, Option]
    workers: int
    problem: Problem

    def cell(self, study: Study) -> Cell:
        """Return the cell."""
        axes = self.problem.axes
        return Cell(
            study=study.name,
            backend=self.entry.name,
            options=self.options,
            workers=self.workers,
            batch=self.problem.batch,
            network=self.problem.network,
            dataset=axes["dataset"].name,
            dataset_options=self.problem.options,
            **{name: axes[name] for name in ("rate", "seed", "init", "shuffle")},
            epochs=study.epochs,
            history=study.history,
            time_limit=study.time_limit,
            memory_limit=study.memory_limit,
            python=self.entry.python,
            hosts=self.entry.hosts,
        )


def configurations(entry: BackendEntry, spec: BackendSpec, cores: int) -> Iterator[tuple[Mapping[str, Option], int]]:
    """Yield the product of an entry's options and workers, every option filled in."""
    for values in itertools.product(*entry.options.values()):
        options = spec.resolve(dict(zip(entry.options, values, strict=True)))
        for workers in dict.fromkeys(resolved(count, cores) for count in entry.workers):
            yield options, workers


def matches(rule: Rule, candidate: Candidate, site: Site) -> bool:
    """Return whether a candidate has one of the rule's values on every axis that the rule names."""
    problem = candidate.problem
    for axis, values in rule.axes.items():
        if axis == "backend":
            found = candidate.entry.name in values
        elif axis == "workers":
            found = candidate.workers in [resolved(value, site.cores) for value in values]
        elif axis == "batch":
            rows = problem.shape.rows
            found = problem.batch in [min(resolved(value, rows), rows) for value in values]
        elif axis == "dataset":
            found = any(_is(choice, problem) for choice in values)
        else:
            found = problem.axes[axis] in values
        if not found:
            return False
    return all(candidate.options.get(name) in values for name, values in rule.options.items())


def _is(choice: DatasetChoice, problem: Problem) -> bool:
    """A rule's dataset means every one of its name that has the options which the rule gives."""
    return choice.name == problem.axes["dataset"].name and choice.options.items() <= problem.options.items()


def included(rule: Rule, study: Study, site: Site) -> Iterator[BackendEntry]:
    """Yield the entries that an ``include`` rule means, with its workers and options in place of the study's."""
    named = rule.axes.get("backend")
    entries = [entry for entry in study.backends if named is None or entry.name in named]
    known = {entry.name for entry in entries}
    entries += [BackendEntry(name=str(name)) for name in named or () if name not in known]
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


def _suits(entry: BackendEntry, spec: BackendSpec) -> bool:
    try:
        for name, values in entry.options.items():
            for value in values:
                spec.resolve({name: value})
    except RequestError:
        return False
    return True
