"""``Problem``: what cells must share to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from harness.contract.spec import BackendSpec
from harness.errors import clean
from harness.runner.row import Row

Specs = Mapping[str, BackendSpec]
ALWAYS_TOLD = ("machine", "network", "dataset", "mathematics")


@dataclass(frozen=True)
class Problem:
    """What cells must share to be compared: the machine, and everything about the training except the batch."""

    machine: str
    network: str
    dataset: str
    mathematics: str
    rate: float
    seed: int
    init: str
    shuffle: bool
    epochs: int

    @classmethod
    def of(cls, row: Row, specs: Specs) -> Problem:
        """Return the problem of a row. A backend that is not installed here counts as minibatch training."""
        cell = row.cell
        options = ", ".join(f"{name}={value}" for name, value in sorted(cell.dataset_options.items()))
        known = specs.get(cell.backend)
        return cls(
            machine=row.machine,
            network=str(cell.network),
            dataset=f"{cell.dataset} ({options})" if options else cell.dataset,
            mathematics=known.mathematics if known else "minibatch",
            rate=cell.rate,
            seed=cell.seed,
            init=cell.init,
            shuffle=cell.shuffle,
            epochs=cell.epochs,
        )


def heading(problem: Problem, all_problems: Sequence[Problem]) -> str:
    """Return a heading with network and dataset, and with everything else that is not the same in every section."""
    words = [f"{problem.network} on {problem.dataset}"]
    words += ["ensemble: trains in another way, so it is ranked apart"] if problem.mathematics == "ensemble" else []
    words += [f"machine {problem.machine}"] if len({other.machine for other in all_problems}) > 1 else []
    for field in fields(Problem):
        values = {getattr(other, field.name) for other in all_problems}
        if field.name not in ALWAYS_TOLD and len(values) > 1:
            words.append(f"{field.name} {getattr(problem, field.name)}")
    return clean(", ".join(words))
