"""Contract: what a backend must offer."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from harness.conformance.cases import Case
from harness.conformance.subject import Subject, fail
from harness.conformance.target import Target
from harness.contract import registry
from harness.contract.arrays import Parameters
from harness.contract.backend import Backend
from harness.contract.network import Network
from harness.errors import HarnessError

pytestmark = pytest.mark.contract

Opened = Callable[[Network, Parameters], Subject]
METHODS = (
    "load", "parameters", "outputs", "gradients", "close",
    "forward", "backprop", "step", "train_epoch", "sync", "facts", "rank",
)  # fmt: skip


def test_the_options_are_those_of_the_spec(target: Target) -> None:
    parameters = list(inspect.signature(target.cls).parameters.values())
    names = [parameter.name for parameter in parameters[:2]]
    catches_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    if names != ["network", "parameters"] or catches_all:
        fail(f"__init__{inspect.signature(target.cls)}: should be (network, parameters, *, workers=1, option=default)")
    keyword_only = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    keywords = {parameter.name: parameter.default for parameter in keyword_only}
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
    expected = list(inspect.signature(getattr(Backend, method)).parameters)
    signature = inspect.signature(getattr(target.cls, method))
    if list(signature.parameters) != expected:
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


def test_what_it_says_of_itself_is_plain(opened: Opened) -> None:
    exercise = Case().exercise()
    backend = opened(exercise.network, exercise.start).backend
    facts = backend.facts()
    if not isinstance(facts, Mapping):
        fail(f"facts() returned {type(facts).__name__}, should be a mapping")
    for name, value in facts.items():
        if not isinstance(name, str) or not isinstance(value, (str, int, float)):
            fail(f"facts(): {name!r}: {value!r} ({type(value).__name__}) should be a str with a str, int or float")
    rank = backend.rank()
    if type(rank) is not int or rank < 0:
        fail(f"rank() returned {rank!r}, should be a whole number from 0")
