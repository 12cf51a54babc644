"""The verdict of one cell: which comparisons were made, what they found, and whether they could have found anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.arrays import Parameters
from harness.cell import Cell
from harness.spec import Mathematics
from harness.worker.observation import Observed
from harness.worker.parity import cache, judge
from harness.worker.parity.plan import Plan
from harness.worker.parity.truth import Truth, flat
from harness.worker.problem import Problem

ROUNDING = {"ieee": 0.0, "tf32": 2.0**-10, "bf16": 2.0**-7}
"""The rounding of the products for each value of the reserved option ``precision``; 0: that of the dtype."""

WEAK = 10.0
"""Weights that moved less than this many tolerances hardly show what moved them."""


@dataclass(frozen=True)
class Evidence:
    """What is judged: the observation, and the weights of a fresh instance where only the head is compared."""

    problem: Problem
    plan: Plan
    observed: Observed
    head: Parameters | None


@dataclass(frozen=True)
class Verdict:
    """``reason`` is empty where all is well."""

    reason: str = ""
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def minibatch(evidence: Evidence) -> Verdict:
    """Judge a backend of the contract's own mathematics: one minibatch after the other, one step each."""
    whole, unit = evidence.problem, rounding(evidence.problem.cell)
    problem = whole if evidence.plan.whole else whole.head(evidence.plan.rows)
    truth, trouble = cache.fetch(problem)
    if not truth.finite:
        return Verdict("", (_blind(),), {"compared": "nothing", "rows": problem.rows})
    found = evidence.observed.first if evidence.head is None else evidence.head
    when = "the first epoch" if evidence.plan.whole else f"an epoch of the first {problem.rows} rows"
    weights = judge.weights(found, truth, unit, when)
    outputs, gradients = judge.batch(whole, evidence.observed.batch, unit)
    compared = {"weights": weights, "outputs": outputs, "gradients": gradients}
    extent = {"compared": "epoch" if evidence.plan.whole else "head", "rows": problem.rows}
    movement = moved(problem, truth)
    facts = {**extent, "moved": movement, **{name: difference.facts() for name, difference in compared.items()}}
    wrong = [str(difference) for difference in compared.values() if not difference.fine]
    weak = [_weak()] if movement < WEAK * weights.allowed else []
    return Verdict("; ".join(wrong), tuple(filter(None, (trouble, *weak))), facts)


def ensemble(_evidence: Evidence) -> Verdict:
    """An ensemble has a mathematics of its own, which its plugin's tests prove; here it need only be finite."""
    return Verdict(facts={"compared": "nothing", "why": "mathematics is 'ensemble'"})


CHECKERS: Mapping[Mathematics, Callable[[Evidence], Verdict]] = {"minibatch": minibatch, "ensemble": ensemble}
"""Who judges which mathematics."""


def rounding(cell: Cell) -> float:
    """Return the unit of rounding that the cell's dtype and precision allow."""
    own = float(np.finfo(cell.network.dtype).eps)
    return max(own, ROUNDING[str(cell.options.get("precision", "ieee"))])


def moved(problem: Problem, truth: Truth) -> float:
    """Return how far the epoch moved the weight that it moved most."""
    pairs = zip(flat(truth.weights), flat(problem.start), strict=True)
    return max(float(np.abs(after - before).max()) for after, before in pairs)


def _blind() -> str:
    return "the float64 reference itself does not stay finite here, so nothing was compared: lower the rate"


def _weak() -> str:
    return "the first epoch moved the weights so little that parity says little: raise the rate"
