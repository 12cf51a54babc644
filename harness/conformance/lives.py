"""A whole life of a backend, for the checks that look at what it leaves."""

from __future__ import annotations

from harness.conformance.problems import Problem
from harness.conformance.subject import Subject


def whole_life(subject: Subject, problem: Problem) -> None:
    """Do everything once."""
    subject.load(problem.x, problem.y)
    subject.batch(slice(1, 8))
    subject.outputs()
    subject.gradients()
    subject.step(0.1)
    subject.train_epoch(4, 0.1)
    subject.forward(problem.rows)
    subject.parameters()
