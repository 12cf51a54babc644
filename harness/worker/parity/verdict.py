"""The verdict of one cell: which comparisons were made, what they found, and whether they could have found anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.contract.arrays import Parameters
from harness.contract.tolerance import Difference, Trained, compare, compare_parameters, one_batch
from harness.contract.vocabulary import Mathematics
from harness.runner.row import State
from harness.worker.observation import BatchResult, Observed
from harness.worker.parity import cache
from harness.worker.parity.plan import Plan
from harness.worker.parity.truth import finite, flat, precision, visible
from harness.worker.problem import Problem

ENOUGH, LOOSE = 10.0, 0.1
"""Fewer tolerances of movement, or a tolerance of a larger part of the weights, hardly show what moved them."""

BLIND = "the float64 reference does not stay finite here, so nothing could be compared: lower the rate"
IDLE = "the steady epochs left every weight as it was: the net no longer learns, or the backend did nothing"
WEAK = "rounding may move these weights about as far as the first epoch does, so parity says little: change the rate"


@dataclass(frozen=True)
class Evidence:
    """What is judged: the observation, and the weights of a fresh instance where only the head is compared."""

    problem: Problem
    plan: Plan
    observed: Observed
    head: Parameters | None


@dataclass(frozen=True)
class Verdict:
    """``reason`` is empty where all is well, else the row ends in ``state``."""

    reason: str = ""
    state: State = "wrong"
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def minibatch(evidence: Evidence) -> Verdict:
    """Judge a backend of the contract's own mathematics: one minibatch after the other, one step each."""
    plan, whole = evidence.plan, evidence.problem
    problem = whole if plan.whole else whole.head(plan.rows)
    truth, trouble = cache.fetch(problem)
    if not finite(truth):
        return Verdict(BLIND, "diverged", facts={"compared": "nothing", "rows": problem.rows})
    found = evidence.observed.first if evidence.head is None else evidence.head
    when = "after the first epoch" if plan.whole else f"after an epoch of the first {plan.rows} rows"
    compared = [_weights(when, found, truth), *_batch(whole, evidence.observed.batch), _end(evidence)]
    differences = [difference for difference in compared if difference]
    seen = visible(problem, truth)
    warnings = [trouble, WEAK if seen < ENOUGH or truth.looseness > LOOSE else "", _idle(evidence)]
    facts = {
        "compared": "epoch" if plan.whole else "head",
        "rows": problem.rows,
        "to_the_end": plan.to_the_end,
        "visible": seen,
        "looseness": truth.looseness,
    }
    return Verdict("; ".join(map(str, differences)), warnings=tuple(filter(None, warnings)), facts=facts)


def _weights(when: str, found: Parameters, truth: Trained) -> Difference | None:
    return compare_parameters(f"parameters {when}", found, truth.parameters, truth.allowed)


def _idle(evidence: Evidence) -> str:
    first, last = evidence.observed.first, evidence.observed.last
    same = all(np.array_equal(one, other) for one, other in zip(flat(first), flat(last), strict=True))
    return IDLE if same else ""


def _end(evidence: Evidence) -> Difference | None:
    """Compare the weights after all epochs where that is affordable and rounding leaves something to compare."""
    if not evidence.plan.to_the_end:
        return None
    count = 1 + evidence.problem.cell.epochs
    truth, _ = cache.fetch(evidence.problem, count)
    if not finite(truth) or truth.looseness > LOOSE:
        return None
    return _weights(f"after all {count} epochs", evidence.observed.last, truth)


def _batch(problem: Problem, result: BatchResult) -> Iterator[Difference | None]:
    x, y = problem.x[result.rows], problem.y[result.rows]
    true = one_batch(problem.network, result.weights, x, y, precision(problem.cell))
    yield compare("outputs of one batch", result.outputs, true.outputs, true.allowed_outputs)
    yield compare_parameters("gradients of one batch", result.gradients, true.gradients, true.allowed_gradients)


def ensemble(_evidence: Evidence) -> Verdict:
    """An ensemble has a mathematics of its own, which its plugin's tests prove; here it need only be finite."""
    return Verdict(facts={"compared": "nothing", "why": "mathematics is 'ensemble'"})


CHECKERS: Mapping[Mathematics, Callable[[Evidence], Verdict]] = {"minibatch": minibatch, "ensemble": ensemble}
"""Who judges which mathematics."""
