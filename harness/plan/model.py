"""``Plan``: every cell of a study on this machine. ``Site``: what the planner is told about the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from harness.contract.environment import Option
from harness.contract.spec import BackendSpec
from harness.datasets.data import Shape
from harness.plan.cell import Cell


@dataclass(frozen=True)
class Refused:
    """A cell that will not be started, because it is known before the run that it cannot run here."""

    cell: Cell
    state: Literal["unsupported", "unavailable"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does: each cell once in each round, every round in its own order drawn from ``seed``."""

    study: str
    title: str
    cells: tuple[Cell, ...]
    refused: tuple[Refused, ...]
    rounds: int
    seed: int
    notes: tuple[str, ...] = ()
    """What the planner changed or left out, one sentence each."""

    def with_rounds(self, rounds: int, *notes: str) -> Plan:
        """Return the same plan with another number of rounds and further notes."""
        return replace(self, rounds=rounds, notes=(*self.notes, *notes))


def _always(_spec: BackendSpec) -> str | None:
    """Say that a backend can run."""
    return None


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything beside the study that a plan depends on, so that planning itself looks at nothing."""

    cores: int
    """The number that ``workers = "all"`` means: the cores that this process may use."""
    spec: Callable[[str, str | None], BackendSpec | None]
    """The spec of a backend by name and interpreter (``None``: the harness's own).

    It returns ``None`` for a backend of another interpreter if that one is not asked.
    """
    shape: Callable[[str, Mapping[str, Option]], Shape]
    """The sizes of a dataset, whose options are all given."""
    dataset_options: Callable[[str, Mapping[str, Option]], dict[str, Option]]
    """All options of a dataset; those that are not given have their default."""
    missing: Callable[[BackendSpec], str | None] = _always
    """Why a backend cannot run here because a package is missing, or ``None``."""
    memory_gib: int = 0
    """The machine's memory; 0 if it is unknown, and then no dataset is too large."""
