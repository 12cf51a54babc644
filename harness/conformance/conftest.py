"""Fixtures of the checks, for this folder alone: the class under test, and functions that make instances of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.conformance.plugin import TRIAL, loaded
from harness.conformance.subject import Subject
from harness.conformance.target import Target
from harness.contract.arrays import Parameters
from harness.contract.network import Network


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    """Return the class under test in this configuration; skip every check if it cannot run here at all."""
    subject = loaded(pytestconfig)
    trial = pytestconfig.stash[TRIAL] = subject.trial()
    if trial.refusal:
        pytest.skip(trial.refusal.reason)
    return subject


@pytest.fixture(autouse=True)
def _has_reference(request: pytest.FixtureRequest) -> None:
    """Skip a check of numbers if the reference cannot tell what they should be."""
    if request.node.get_closest_marker("numbers"):
        target: Target = request.getfixturevalue("target")
        if not target.has_reference:
            pytest.skip(f"an ensemble of {target.workers} is not the plain network; checked with one worker")


@pytest.fixture
def opened(target: Target) -> Iterator[Callable[[Network, Parameters], Subject]]:
    """Yield a function that makes instances under test; each is closed when the check ends."""
    with ExitStack() as stack:

        def make(network: Network, start: Parameters) -> Subject:
            subject = Subject(target, network, start)
            stack.callback(subject.close)
            return subject

        yield make
