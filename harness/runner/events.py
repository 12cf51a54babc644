"""What a progress display hears from the runner while it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.plan.cell import Cell
from harness.runner.row import Row


@dataclass(frozen=True)
class RunBegun:
    """The order is drawn; ``total`` cells and rounds are to be measured, ``done`` were measured before."""

    total: int
    done: int
    rounds: int


@dataclass(frozen=True)
class LimitBegun:
    """The machine's own limit is being measured, before the cells of a round."""

    threads: int
    dtype: str
    round: int


@dataclass(frozen=True)
class LimitEnded:
    """The machine's limit in GFLOP/s, or ``None`` and why it is not known."""

    threads: int
    dtype: str
    round: int
    gflops: float | None
    reason: str = ""


@dataclass(frozen=True)
class CellBegun:
    """A worker is being started; ``number`` counts from 1 to ``total``."""

    cell: Cell
    round: int
    number: int
    total: int


@dataclass(frozen=True)
class CellNews:
    """Something that the worker said on the way, as it said it; nothing to rely on."""

    cell: Cell
    round: int
    news: Mapping[str, Any]


@dataclass(frozen=True)
class CellEnded:
    """A row is complete and is yielded next; ``seconds`` is the wall clock of all that it took."""

    row: Row
    number: int
    total: int
    seconds: float


@dataclass(frozen=True)
class RunEnded:
    """Nothing runs any more; ``left`` cells and rounds were not measured because of an interrupt."""

    left: int
    interrupted: bool


Event: TypeAlias = RunBegun | LimitBegun | LimitEnded | CellBegun | CellNews | CellEnded | RunEnded
OnEvent: TypeAlias = Callable[[Event], None]
