"""``Plan``: every cell of a study on this machine, and ``Site``: what the planner is told of the machine."""

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
    """A cell that will not be started, because it is known beforehand that it cannot run."""

    cell: Cell
    state: Literal["unsupported", "unavailable"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does: each cell once a round, rounds interleaved in an order drawn from ``seed``."""

    study: str
    title: str
    cells: tuple[Cell, ...]
    refused: tuple[Refused, ...]
    rounds: int
    seed: int
    notes: tuple[str, ...] = ()
    """What the planner changed or left out, a sentence each."""

    def with_rounds(self, rounds: int, *notes: str) -> Plan:
        """Return the same plan with another number of rounds."""
        return replace(self, rounds=rounds, notes=(*self.notes, *notes))


def _always(_spec: BackendSpec) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Site:
    """All that a plan must know beside the study, so that planning itself touches nothing."""

    cores: int
    """What ``workers = "all"`` means: the cores that this process may use."""
    spec: Callable[[str, str | None], BackendSpec]
    """The spec of a backend by name and interpreter (``None``: the harness's own)."""
    shape: Callable[[str, Mapping[str, Option]], Shape]
    """The sizes of a dataset, all its options given."""
    dataset_options: Callable[[str, Mapping[str, Option]], dict[str, Option]]
    """The options of a dataset with the defaults filled in."""
    missing: Callable[[BackendSpec], str | None] = _always
    """Why a backend cannot run here as far as its packages tell, or ``None``."""
    memory_gib: int = 0
    """The machine's memory; 0 where nobody knows, and then nothing is too large."""
