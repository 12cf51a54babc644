"""``Problem``: what cells must share to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.row import Row
from harness.spec import BackendSpec

Specs = Mapping[str, BackendSpec]


@dataclass(frozen=True)
class Problem:
    """What cells must share to be compared: the machine, and all that is trained, the batch apart."""

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
        """Return the problem of a row; a backend that is not installed here counts as minibatch training."""
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
