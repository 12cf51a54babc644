"""The verdict of one cell: which comparisons were made, what they found, and whether they could have found anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from harness.contract.arrays import Parameters
from harness.contract.tolerance import Difference, Trained, compare_parameters
from harness.contract.vocabulary import Mathematics
from harness.runner.row import State
from harness.worker.observation import Observed
from harness.worker.parity import cache
from harness.worker.parity.plan import LOOSE, Extent, shorter_heads
from harness.worker.parity.retrace import pass_differences, step_difference
from harness.worker.parity.truth import finite, flat, visible
from harness.worker.problem import Problem

ENOUGH = 10.0
"""Fewer tolerances of movement hardly show what moved the weights."""

BLIND = "the float64 reference does not stay finite here, so nothing could be compared: lower the rate"
IDLE = "the steady epochs left every weight as it was: the net no longer learns, or the backend did nothing"
CHAOTIC = "rounding alone decides where this training ends, so the weights are not comparable: lower the rate"
WEAK = "rounding may move these weights about as far as the first epoch does, so parity says little: change the rate"


@dataclass(frozen=True)
class Ground:
    """What the weights after one epoch are compared on: the whole problem or a head of it, and the truth there."""

    problem: Problem
    truth: Trained
    trouble: str
    """Why the truth could not be kept for other cells; empty where it was."""


@dataclass(frozen=True)
class Evidence:
    """What is judged: the observation, and the weights of a fresh instance where only the head is compared."""

    problem: Problem
    plan: Extent
    observed: Observed
    ground: Ground | None
    """``None``: rounding leaves nothing to compare, or the mathematics is not the reference's."""
    head: Parameters | None


@dataclass(frozen=True)
class Judgement:
    """``reason`` is empty where all is well, else the row ends in ``state``."""

    reason: str = ""
    state: State = "wrong"
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    replayable: bool = False
    """Whether the mathematics is that of the reference, so that a timed sample can be trained again by it."""


def comparable(problem: Problem, plan: Extent) -> Ground | None:
    """Return the longest head on which the reference's bound after one epoch is tight, or ``None`` where none is.

    Training may be chaotic: then rounding alone decides where an epoch ends, and only its beginning can be compared.
    Every rank computes the same answer, since it follows from the problem alone.
    """
    for rows in (plan.rows, *shorter_heads(plan.rows, problem.cell.batch)):
        head = problem if rows == problem.rows else problem.head(rows)
        truth, trouble = cache.fetch(head)
        # Where the reference is not finite there is no bound at all, and the verdict says that it has diverged.
        if not finite(truth) or truth.looseness <= LOOSE:
            return Ground(head, truth, trouble)
    return None


def minibatch(evidence: Evidence) -> Judgement:
    """Judge a backend of the contract's own mathematics: one minibatch after the other, one step each."""
    ground, observed = evidence.ground, evidence.observed
    if ground is None:
        facts = {"compared": "one batch", "rows": 0, "verdict": "not comparable"}
        return Judgement(_said(_batch(evidence.problem, observed)), warnings=(CHAOTIC,), facts=facts)
    problem, truth, rows = ground.problem, ground.truth, ground.problem.rows
    if not finite(truth):
        return Judgement(BLIND, "diverged", facts={"compared": "nothing", "rows": rows})
    whole = evidence.head is None
    when = "after the first epoch" if whole else f"after an epoch of the first {rows} rows"
    first = _weights(when, observed.first if evidence.head is None else evidence.head, truth)
    seen = visible(problem, truth)
    warnings = [ground.trouble, WEAK if seen < ENOUGH else "", _idle(evidence)]
    facts = {
        "verdict": "compared",
        "compared": "epoch" if whole else "head",
        "rows": rows,
        "to_the_end": evidence.plan.to_the_end,
        "visible": seen,
        "looseness": truth.looseness,
    }
    reason = _said([first, *_batch(evidence.problem, observed), _end(evidence)])
    return Judgement(reason, warnings=tuple(filter(None, warnings)), facts=facts, replayable=True)


def _said(differences: Iterable[Difference | None]) -> str:
    return "; ".join(str(difference) for difference in differences if difference)


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


def _batch(problem: Problem, observed: Observed) -> Iterator[Difference | None]:
    """Compare one whole step from the weights that the timed instance ended with, however chaotic its training is."""
    yield from pass_differences(problem, observed.batch)
    yield step_difference(problem, observed.batch, observed.stepped)


def ensemble(_evidence: Evidence) -> Judgement:
    """An ensemble has a mathematics of its own, which its plugin's tests prove; here it need only be finite."""
    return Judgement(facts={"compared": "nothing", "why": "mathematics is 'ensemble'"})


class Checker(NamedTuple):
    """How a mathematics is judged: on which ground, which every rank finds alike, and what is said of the evidence."""

    ground: Callable[[Problem, Extent], Ground | None]
    judge: Callable[[Evidence], Judgement]


CHECKERS: Mapping[Mathematics, Checker] = {
    "minibatch": Checker(comparable, minibatch),
    "ensemble": Checker(lambda _problem, _plan: None, ensemble),
}
"""Who judges which mathematics."""
