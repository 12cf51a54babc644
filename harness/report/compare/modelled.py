"""The cost models of two backends in words and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.report.compare.cost import COSTS, Model
from harness.report.compare.models import Models
from harness.report.compare.words import seconds

ARTICLES = {"step": "a step", "example": "an example"}
SHOWN = 5
"""Badly fitted cells that are named."""


def lines(found: Sequence[Models], names: tuple[str, str]) -> list[str]:
    """Return what the models say: the costs, where one overtakes the other, and where they fit badly."""
    said = ["cost models: seconds an epoch = step * steps + example * examples + flop * FLOPs"]
    for one in found:
        for side, name, model in zip("AB", names, (one.a, one.b), strict=True):
            said += [f"{side} = {name}, workers={one.workers}: {_costs(model)}"]
            said += [f"  {line}" for line in _bad(model)]
        crossings = one.overtakings()
        said += [f"  {crossing}" for crossing in crossings]
        if one.a and one.b and not crossings:
            said.append("  by the models neither overtakes the other at any batch or width")
    return said if found else ["cost models: no number of workers has times of both"]


def _costs(model: Model | None) -> str:
    if model is None:
        return "too few cells for a model: at least 3 are needed"
    shown = " + ".join(
        f"{seconds(cost)} {ARTICLES[name]}" if name != "flop" else f"{1e12 * cost:.3g} ps a FLOP"
        for name, cost in zip(COSTS, model.costs, strict=True)
        if cost
    )
    one_net = "" if model.separates else "; one net only, so an example and a FLOP are not told apart"
    _, worst = model.errors[0]
    return f"{shown} ({len(model.observations)} cells, worst {100 * worst:+.0f}%{one_net})"


def _bad(model: Model | None) -> list[str]:
    found = model.bad if model else []
    told = [
        f"fits badly: batch={one.cell.batch} on {one.cell.network}, {one.cell.dataset}: "
        f"measured {100 * error:+.0f}% off the model"
        for one, error in found[:SHOWN]
    ]
    return told + ([f"fits badly: {len(found) - SHOWN} more cells"] if len(found) > SHOWN else [])


def as_objects(found: Sequence[Models]) -> list[dict[str, Any]]:
    """Return the models for JSON, with a prediction for every cell that they were fitted to."""
    return [
        {
            "workers": one.workers,
            "a": _object(one.a),
            "b": _object(one.b),
            "overtakings": [
                {**vars(crossing), "extrapolated": crossing.extrapolated} for crossing in one.overtakings()
            ],
        }
        for one in found
    ]


def _object(model: Model | None) -> dict[str, Any] | None:
    if model is None:
        return None
    cells = []
    for one, error in model.errors:
        flops = one.cell.network.flops_per_example
        predicted = model.predict(one.examples, one.cell.batch, flops)
        cells.append(
            {
                "cell": one.cell.key,
                "batch": one.cell.batch,
                "network": str(one.cell.network),
                "seconds": one.middle,
                "predicted": predicted.value,
                "low": predicted.low,
                "high": predicted.high,
                "error": error,
            }
        )
    return {**dict(zip(COSTS, model.costs, strict=True)), "separates": model.separates, "cells": cells}
