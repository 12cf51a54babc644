"""Contract: what a backend must offer and how it must live."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import cycle, product

import numpy as np
import pytest

from harness import registry
from harness.arrays import Parameters
from harness.backend import Backend
from harness.conformance.expecting import expect_batch, expect_same
from harness.conformance.problems import Case, activations, endings
from harness.conformance.subject import Subject, fail
from harness.conformance.target import Target
from harness.errors import HarnessError
from harness.network import DTYPES, Network

pytestmark = pytest.mark.contract

Opened = Callable[[Network, Parameters], Subject]
METHODS = (
    "load", "parameters", "outputs", "gradients", "close",
    "forward", "backprop", "step", "train_epoch", "sync", "facts", "rank",
)  # fmt: skip


def test_the_options_are_those_of_the_spec(target: Target) -> None:
    parameters = list(inspect.signature(target.cls).parameters.values())
    names = [one.name for one in parameters[:2]]
    if names != ["network", "parameters"] or any(one.kind is one.VAR_KEYWORD for one in parameters):
        fail(f"__init__{inspect.signature(target.cls)}: should be (network, parameters, *, workers=1, option=default)")
    keywords = {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}
    expected = {"workers": 1, **target.spec.defaults()}
    for name in sorted(expected.keys() | keywords.keys()):
        if name not in keywords:
            fail(f"option {name!r} stands in the spec, but __init__ has no keyword-only argument of that name")
        if name not in expected:
            fail(f"__init__ has the keyword {name!r}, which is no option of the spec")
        if keywords[name] != expected[name]:
            fail(f"option {name!r}: default {keywords[name]!r} in __init__, {expected[name]!r} first in the spec")


@pytest.mark.parametrize("method", METHODS)
def test_a_method_takes_what_the_contract_says(target: Target, method: str) -> None:
    expected = [one.name for one in inspect.signature(getattr(Backend, method)).parameters.values()]
    signature = inspect.signature(getattr(target.cls, method))
    found = [one.name for one in signature.parameters.values()]
    if found != expected:
        fail(f"{method}{signature}: should take ({', '.join(expected)})")


def test_what_is_final_is_left_alone(target: Target) -> None:
    for method in ("__enter__", "__exit__"):
        if getattr(target.cls, method) is not getattr(Backend, method):
            fail(f"{method} is replaced, but it is final: put what must happen into close")


PROBE = """
import importlib, json, sys
from harness import BackendSpec, hookimpl
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_the_spec_module_imports_nothing_heavy(target: Target) -> None:
    if not target.installed:
        pytest.skip("a class without a plugin has no spec module")
    module = registry.registry().sources[target.name].module.partition(":")[0]
    done = subprocess.run([sys.executable, "-c", PROBE, module], capture_output=True, text=True, check=False)
    if done.returncode:
        fail(f"importing {module} fails: {done.stderr.strip().splitlines()[-1]}")
    loaded = json.loads(done.stdout.splitlines()[-1])
    own = {module.partition(".")[0], "harness", *sys.stdlib_module_names}
    heavy = sorted({name.partition(".")[0] for name in loaded} - own)
    if heavy:
        fail(
            f"importing {module} loads {', '.join(heavy)}: a spec module may load harness and the standard library only"
        )
    implementation = target.spec.implementation.partition(":")[0]
    if implementation != module and implementation in loaded:
        fail(f"importing {module} loads {implementation}, which is for the worker process alone")


def test_the_counterpart_exists(target: Target) -> None:
    if target.spec.counterpart is None:
        return
    name, options = target.spec.counterpart
    try:
        registry.spec(name).resolve(options)
    except HarnessError as error:
        fail(f"counterpart {name!r} with {dict(options)}: {error}")


def test_it_starts_with_exactly_the_weights_that_it_was_given(opened: Opened) -> None:
    for dtype in DTYPES:
        problem = Case(dtype=dtype).problem()
        subject = opened(problem.network, problem.start)
        expect_same("parameters", subject.parameters(), problem.start)


def test_it_keeps_the_network_and_the_workers(target: Target, opened: Opened) -> None:
    problem = Case().problem()
    backend = opened(problem.network, problem.start).backend
    if backend.network != problem.network:
        fail(f"network is {backend.network}, should be {problem.network}: call super().__init__ first")
    if backend.workers != target.workers:
        fail(f"workers is {backend.workers}, should be {target.workers}: call super().__init__ first")
    if backend.rows != 0:
        fail(f"rows is {backend.rows} before load, should be 0")


@pytest.mark.parametrize(("first", "second"), [(9, 4), (4, 23), (6, 6)], ids=["smaller", "larger", "equal"])
def test_another_set_may_be_loaded(target: Target, opened: Opened, first: int, second: int) -> None:
    before, after = Case(rows=first).problem(), Case(rows=second).problem(seed=5)
    subject = opened(before.network, before.start)
    subject.load(before.x, before.y)
    subject.batch(before.rows)
    subject.load(after.x, after.y)
    expect_same("parameters after the second load", subject.parameters(), before.start)
    if target.has_reference:
        expect_batch(subject, after, target.precision, at=before.start)


def test_closing_twice_is_fine(opened: Opened) -> None:
    problem = Case().problem()
    subject = opened(problem.network, problem.start)
    subject.load(problem.x, problem.y)
    subject.train_epoch(4, 0.1)
    subject.close()
    subject.close()


def test_closing_before_load_is_fine(opened: Opened) -> None:
    problem = Case().problem()
    opened(problem.network, problem.start).close()


def test_closing_after_a_failed_start_is_fine(target: Target) -> None:
    problem = Case().problem()
    backend = target.cls.__new__(target.cls)
    wrong = [(weights[:, :1], bias) for weights, bias in problem.start]
    try:
        backend.__init__(problem.network, wrong, workers=target.workers, **target.options)  # type: ignore[misc]  # on purpose
    except Exception as error:  # noqa: BLE001  that it is refused is what is looked at
        refused: Exception | None = error
    else:
        refused = None
    try:
        backend.close()
        backend.close()
    except Exception as error:  # noqa: BLE001  whatever a backend raises is what the check reports
        fail(f"close after a failed __init__ raised {type(error).__name__}: {error}")
    if refused is None:
        fail("__init__ took start weights of a wrong shape: call super().__init__ first, which refuses them")


def test_what_it_cannot_do_it_says_before_the_second_batch(target: Target) -> None:
    every = product(activations(), endings(), DTYPES)
    each_once = zip(cycle(activations()), endings(), cycle(DTYPES), strict=False)
    for hidden, (output, loss), dtype in each_once if target.level == "quick" else every:
        problem = Case(hidden=hidden, output=output, loss=loss, dtype=dtype, rows=4).problem()
        try:
            _live(Subject(target, problem.network, problem.start), problem.x, problem.y)
        except pytest.skip.Exception:
            continue


def _live(subject: Subject, x: np.ndarray, y: np.ndarray) -> None:
    try:
        subject.load(x, y)
        subject.batch(slice(0, 3))
        subject.step(0.1)
        subject.batch(slice(3, 4))
        subject.step(0.1)
        subject.train_epoch(2, 0.1)
        subject.batch(slice(0, 4))
        subject.outputs(), subject.gradients(), subject.parameters()
    finally:
        subject.close()


def test_what_it_says_of_itself_is_plain(opened: Opened) -> None:
    problem = Case().problem()
    backend = opened(problem.network, problem.start).backend
    facts = backend.facts()
    if not isinstance(facts, Mapping):
        fail(f"facts() returned {type(facts).__name__}, should be a mapping")
    for name, value in facts.items():
        if not isinstance(name, str) or not isinstance(value, (str, int, float)):
            fail(f"facts(): {name!r}: {value!r} ({type(value).__name__}) should be a str with a str, int or float")
    rank = backend.rank()
    if type(rank) is not int or rank < 0:
        fail(f"rank() returned {rank!r}, should be a whole number from 0")
