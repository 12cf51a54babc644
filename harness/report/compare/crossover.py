"""The cost models of two backends side by side: where one overtakes the other, in words and as plain data.

One backend can overtake another at some batch on a given network, or at some width of the hidden layers at a given
batch. Both follow from the cost models in ``cost.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from harness.plan.cell import Cell
from harness.report.compare.cost import COSTS, Model, Observation, fit, observations
from harness.report.figures import in_time_unit
from harness.store import Stored

WIDEST = 65_536
SURE = 0.95
ARTICLES = {"step": "a step", "example": "an example"}
SHOWN = 5
"""How many badly fitted cells are named."""


@dataclass(frozen=True)
class Overtaking:
    """A crossing of two models: below ``at`` one backend is ahead, above it the other.

    The interval is that of the refits that cross.
    """

    axis: Literal["batch", "width"]
    where: str
    at: float
    low: float
    high: float
    crossing: float
    """The share of the refits in which they cross at all; below 95 % it is not sure that they cross."""
    above: Literal["A", "B"]
    """Who is ahead above ``at``."""
    measured: tuple[int, int]
    """The smallest and the largest value of the axis at which both were measured."""

    @property
    def extrapolated(self) -> bool:
        """Whether the crossing lies outside the measured range."""
        return not self.measured[0] <= self.at <= self.measured[1]

    def __str__(self) -> str:
        """Return the crossing in words."""
        sure = "" if self.crossing >= SURE else f"; UNSURE: they cross in only {100 * self.crossing:.0f}% of the refits"
        far = f"; EXTRAPOLATED: measured {self.measured[0]} to {self.measured[1]}" if self.extrapolated else ""
        interval = f"95% interval {self.low:.3g} to {self.high:.3g}"
        return f"{self.where}: {self.above} is ahead above {self.axis} {self.at:.3g} ({interval}){sure}{far}"


@dataclass(frozen=True)
class Models:
    """The models of both sides at one number of workers; ``None`` if a side has too few cells."""

    workers: int
    a: Model | None
    b: Model | None

    def overtakings(self) -> list[Overtaking]:
        """Return where one overtakes the other, for each network and dataset on which both were measured."""
        if self.a is None or self.b is None:
            return []
        return [*by_batch(self.a, self.b), *by_width(self.a, self.b)]


def models(a: Sequence[Stored], b: Sequence[Stored]) -> list[Models]:
    """Return the models of both sides for every number of workers that both have."""
    sides = [_by_workers(observations(rows)) for rows in (a, b)]
    return [Models(count, *(fit(side[count]) for side in sides)) for count in sorted(sides[0].keys() & sides[1].keys())]


def _by_workers(measured: Sequence[Observation]) -> dict[int, list[Observation]]:
    groups: dict[int, list[Observation]] = {}
    for observation in measured:
        groups.setdefault(observation.cell.workers, []).append(observation)
    return groups


def _cost_differences(a: Model, b: Model) -> Any:
    """Return the costs of A minus those of B, ``(1 + REFITS, 3)``: first the fitted ones, then those of each refit."""
    return np.vstack([a.costs, a.refits]) - np.vstack([b.costs, b.refits])


def by_batch(a: Model, b: Model) -> Iterator[Overtaking]:
    """Yield the batch at which both cost the same, on each network.

    On one network an example costs step / batch + example + flop * FLOPs.
    """
    step, example, flop = _cost_differences(a, b).T
    for key, batches in _shared(a, b, _net_and_set, lambda cell: cell.batch).items():
        _, flops, examples, where = key
        rest = example + flop * flops
        at = _quotient(-step, rest)
        yield from _crossing("batch", where, at, (1, examples), batches, b_above=rest[0] > 0)


def by_width(a: Model, b: Model) -> Iterator[Overtaking]:
    """Yield the width of the hidden layers at which both cost the same, at each batch.

    The models give the FLOPs of an example at which both cost the same; the width is the one that has so many.
    """
    if not (a.separates and b.separates):
        return
    step, example, flop = _cost_differences(a, b).T
    for key, widths in _shared(a, b, _ends_and_batch, _width).items():
        inputs, outputs, hidden, batch, where = key
        flops = _quotient(-(step / batch + example), flop)
        linear, square = 4 * inputs + 6 * outputs, 6 * (hidden - 1)
        at = (
            flops / linear
            if not square
            else (np.sqrt(linear**2 + 4 * square * np.maximum(flops, 0)) - linear) / 2 / square
        )
        yield from _crossing("width", where, at, (1, WIDEST), widths, b_above=flop[0] > 0)


def _crossing(
    axis: Literal["batch", "width"],
    where: str,
    at: Any,
    limits: tuple[int, int],
    measured: Sequence[int],
    *,
    b_above: bool,
) -> Iterator[Overtaking]:
    """Yield the crossing if there is one within the limits; ``at[0]`` is that of the fit, the others are refits."""
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
    """Divide; where the divisor is 0, return -1, which stands for no crossing."""
    return np.divide(above, below, out=np.full(len(above), -1.0), where=below != 0)


def _net_and_set(observation: Observation) -> tuple[Any, ...]:
    cell = observation.cell
    where = f"{cell.network} on {cell.dataset}, workers={cell.workers}"
    return cell.dataset, cell.network.flops_per_example, observation.examples, where


def _ends_and_batch(observation: Observation) -> tuple[Any, ...]:
    cell = observation.cell
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
    """Return, by problem, the values of an axis at which both sides were measured; the value 0 means none."""
    sides: list[dict[tuple[Any, ...], set[int]]] = [{}, {}]
    for side, model in zip(sides, (a, b), strict=True):
        for observation in model.observations:
            side.setdefault(key(observation), set()).add(value(observation.cell))
    left, right = sides
    common = {problem: sorted((left[problem] & right[problem]) - {0}) for problem in left.keys() & right.keys()}
    return {problem: values for problem, values in sorted(common.items(), key=str) if values}


def lines(all_models: Sequence[Models], names: tuple[str, str]) -> list[str]:
    """Return in words the costs, where one backend overtakes the other, and where the models fit badly."""
    said = ["cost models: seconds an epoch = step * steps + example * examples + flop * FLOPs"]
    for both in all_models:
        for side, name, model in zip("AB", names, (both.a, both.b), strict=True):
            said += [f"{side} = {name}, workers={both.workers}: {_costs(model)}"]
            said += [f"  {line}" for line in _bad(model)]
        crossings = both.overtakings()
        said += [f"  {crossing}" for crossing in crossings]
        if both.a and both.b and not crossings:
            said.append("  by the models, neither overtakes the other at any batch or width")
    return said if all_models else ["cost models: at no number of workers do both have times"]


def _costs(model: Model | None) -> str:
    if model is None:
        return "too few cells for a model: at least 3 are needed"
    shown = " + ".join(
        f"{in_time_unit(cost)} {ARTICLES[name]}" if name != "flop" else f"{1e12 * cost:.3g} ps a FLOP"
        for name, cost in zip(COSTS, model.costs, strict=True)
        if cost
    )
    one_net = "" if model.separates else "; there is only one net, so an example and a FLOP are not told apart"
    lost = sum(cell.lost > 0 for cell in model.observations)
    short = f"; {lost} of them lost rounds" if lost else ""
    _, worst = model.errors[0]
    return f"{shown} ({len(model.observations)} cells, worst {100 * worst:+.0f}%{short}{one_net})"


def _bad(model: Model | None) -> list[str]:
    bad = model.bad if model else []
    told = [
        f"fits badly: batch={cell.batch} on {cell.network}, {cell.dataset}: measured {100 * error:+.0f}% off the model"
        for cell, error in ((observation.cell, error) for observation, error in bad[:SHOWN])
    ]
    return told + ([f"fits badly: {len(bad) - SHOWN} more cells"] if len(bad) > SHOWN else [])


def as_objects(all_models: Sequence[Models]) -> list[dict[str, Any]]:
    """Return the models for JSON, with a prediction for every cell that they were fitted to."""
    return [
        {
            "workers": both.workers,
            "a": _object(both.a),
            "b": _object(both.b),
            "overtakings": [
                {**vars(crossing), "extrapolated": crossing.extrapolated} for crossing in both.overtakings()
            ],
        }
        for both in all_models
    ]


def _object(model: Model | None) -> dict[str, Any] | None:
    if model is None:
        return None
    cells = []
    for observation, error in model.errors:
        cell = observation.cell
        predicted = model.predict(observation.examples, cell.batch, cell.network.flops_per_example)
        cells.append(
            {
                "cell": cell.key,
                "batch": cell.batch,
                "network": str(cell.network),
                "seconds": observation.middle,
                "predicted": predicted.value,
                "low": predicted.low,
                "high": predicted.high,
                "error": error,
            }
        )
    return {**dict(zip(COSTS, model.costs, strict=True)), "separates": model.separates, "cells": cells}
