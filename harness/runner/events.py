"""The events that the runner reports while it works, for a display of the progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.plan.cell import Cell
from harness.runner.row import Row


@dataclass(frozen=True)
class RunBegun:
    """The order is drawn. ``total`` cells and rounds will be measured; ``done`` were measured before."""

    total: int
    done: int
    rounds: int


@dataclass(frozen=True)
class LimitBegun:
    """The measurement of the machine's limit begins, before the cells of a round."""

    threads: int
    dtype: str
    round: int


@dataclass(frozen=True)
class LimitEnded:
    """The machine's limit in GFLOP/s is known, or it is ``None`` and ``reason`` says why."""

    threads: int
    dtype: str
    round: int
    gflops: float | None
    reason: str = ""


@dataclass(frozen=True)
class CellBegun:
    """A worker is started; ``number`` counts from 1 to ``total``."""

    cell: Cell
    round: int
    number: int
    total: int


@dataclass(frozen=True)
class CellNews:
    """A message that the worker sent while it ran, unchanged; no message is guaranteed to come."""

    cell: Cell
    round: int
    news: Mapping[str, Any]


@dataclass(frozen=True)
class CellEnded:
    """A row is complete and will be yielded next; ``seconds`` is the wall clock from the start of its cell."""

    row: Row
    number: int
    total: int
    seconds: float


@dataclass(frozen=True)
class RunEnded:
    """The run is over; an interrupt left ``left`` cells and rounds unmeasured."""

    left: int
    interrupted: bool


Event: TypeAlias = RunBegun | LimitBegun | LimitEnded | CellBegun | CellNews | CellEnded | RunEnded
OnEvent: TypeAlias = Callable[[Event], None]
