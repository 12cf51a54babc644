"""Where one backend overtakes another, by their cost models: the batch on a net, and the width at a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from harness.plan.cell import Cell
from harness.report.compare.cost import Model, Observation

WIDEST = 65_536
SURE = 0.95


@dataclass(frozen=True)
class Overtaking:
    """Below ``at`` one is ahead, above it the other, by the models; the interval is that of the refits that cross."""

    axis: Literal["batch", "width"]
    where: str
    at: float
    low: float
    high: float
    crossing: float
    """Share of the refits in which they cross at all; below 95 % nothing is sure but the order at the ends."""
    above: Literal["A", "B"]
    """Who is ahead above it."""
    measured: tuple[int, int]
    """The smallest and largest value of the axis that both were measured at."""

    @property
    def extrapolated(self) -> bool:
        """Whether it lies beyond everything that was measured."""
        return not self.measured[0] <= self.at <= self.measured[1]

    def __str__(self) -> str:
        """Return it in words."""
        sure = "" if self.crossing >= SURE else f"; UNSURE: they cross in {100 * self.crossing:.0f}% of the refits only"
        far = f"; EXTRAPOLATED: measured {self.measured[0]} to {self.measured[1]}" if self.extrapolated else ""
        interval = f"95% interval {self.low:.3g} to {self.high:.3g}"
        return f"{self.where}: {self.above} is ahead above {self.axis} {self.at:.3g} ({interval}){sure}{far}"


def _differences(a: Model, b: Model) -> Any:
    """Return the costs of A less those of B, the fitted first and then refit by refit: ``(1 + REFITS, 3)``."""
    return np.vstack([a.costs, a.refits]) - np.vstack([b.costs, b.refits])


def by_batch(a: Model, b: Model) -> Iterator[Overtaking]:
    """On one net an example costs step / batch + example + flop * FLOPs: find the batch where both cost the same."""
    step, example, flop = _differences(a, b).T
    for key, batches in _shared(a, b, _net_and_set, lambda cell: cell.batch).items():
        _, flops, examples, where = key
        rest = example + flop * flops
        found = _found("batch", where, _quotient(-step, rest), (1, examples), batches, b_above=rest[0] > 0)
        yield from found


def by_width(a: Model, b: Model) -> Iterator[Overtaking]:
    """At one batch: find the FLOPs an example where both cost the same, and the width of hidden layers with so many."""
    if not (a.separates and b.separates):
        return
    step, example, flop = _differences(a, b).T
    for key, widths in _shared(a, b, _ends_and_batch, _width).items():
        inputs, outputs, hidden, batch, where = key
        flops = _quotient(-(step / batch + example), flop)
        linear, square = 4 * inputs + 6 * outputs, 6 * (hidden - 1)
        at = (
            flops / linear
            if not square
            else (np.sqrt(linear**2 + 4 * square * np.maximum(flops, 0)) - linear) / 2 / square
        )
        yield from _found("width", where, at, (1, WIDEST), widths, b_above=flop[0] > 0)


def _found(
    axis: Literal["batch", "width"],
    where: str,
    at: Any,
    limits: tuple[int, int],
    measured: Sequence[int],
    *,
    b_above: bool,
) -> Iterator[Overtaking]:
    """Yield the crossing where there is one within the limits; ``at[0]`` is that of the fit."""
    inside = (at >= limits[0]) & (at <= limits[1])
    if not inside[0]:
        return
    low, high = np.quantile(at[1:][inside[1:]] if inside[1:].any() else at[:1], [0.025, 0.975])
    yield Overtaking(
        axis=axis,
        where=where,
        at=float(at[0]),
        low=min(float(low), float(at[0])),
        high=max(float(high), float(at[0])),
        crossing=float(inside[1:].mean()),
        above="B" if b_above else "A",
        measured=(min(measured), max(measured)),
    )


def _quotient(above: Any, below: Any) -> Any:
    """Divide; where nothing is below, there is no crossing."""
    return np.divide(above, below, out=np.full(len(above), -1.0), where=below != 0)


def _net_and_set(one: Observation) -> tuple[Any, ...]:
    cell = one.cell
    where = f"{cell.network} on {cell.dataset}, workers={cell.workers}"
    return cell.dataset, cell.network.flops_per_example, one.examples, where


def _ends_and_batch(one: Observation) -> tuple[Any, ...]:
    cell = one.cell
    layers = len(cell.network.layers) - 1
    where = f"{layers} hidden layers at batch {cell.batch} on {cell.dataset}, workers={cell.workers}"
    return cell.network.inputs, cell.network.outputs, layers, cell.batch, where


def _width(cell: Cell) -> int:
    """Return the width that all hidden layers share, or 0."""
    widths = {layer.outputs for layer in cell.network.layers[:-1]}
    return widths.pop() if len(widths) == 1 else 0


def _shared(
    a: Model, b: Model, key: Callable[[Observation], tuple[Any, ...]], value: Callable[[Cell], int]
) -> dict[tuple[Any, ...], list[int]]:
    """Return, by problem, the values of an axis that both sides were measured at; 0 is none."""
    sides: list[dict[tuple[Any, ...], set[int]]] = [{}, {}]
    for side, model in zip(sides, (a, b), strict=True):
        for one in model.observations:
            side.setdefault(key(one), set()).add(value(one.cell))
    common = {found: sorted((sides[0][found] & sides[1][found]) - {0}) for found in sides[0].keys() & sides[1].keys()}
    return {found: values for found, values in sorted(common.items(), key=str) if values}
