from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from harness import BackendSpec, PluginError, RequestError, library_threads
from harness.contract.vocabulary import RESERVED

FIELDS: dict[str, Any] = {
    "api": 1,
    "name": "mine",
    "implementation": "harness_mine.backend:Mine",
    "summary": "what it does",
    "parallel": "none",
    "algebra": "blas",
}
OPTIONS: dict[str, Any] = {
    "device": ("cpu", "cuda"),
    "blas_threads": (1, 2, ...),
    "team": ("pool", "fork"),
    "depth": (3,),
}


def spec(**fields: Any) -> BackendSpec:
    return BackendSpec(**{**FIELDS, **fields})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"api": 2}, "speaks api 2, this harness api 1"),
    ({"api": True}, "speaks api True"),
    ({"api": "1"}, "speaks api '1'"),
    ({"name": ""}, "backend name ''"),
    ({"name": "Mine"}, "backend name 'Mine'"),
    ({"name": "my_one"}, "backend name 'my_one'"),
    ({"name": "-mine"}, "backend name '-mine'"),
    ({"name": "mine\n"}, "backend name 'mine\\n'"),
    ({"name": 3}, "backend name 3"),
    ({"implementation": "harness_mine.backend"}, "should be 'module:Class'"),
    ({"implementation": "harness_mine..backend:Mine"}, "should be 'module:Class'"),
    ({"implementation": ":Mine"}, "should be 'module:Class'"),
    ({"implementation": None}, "should be 'module:Class'"),
    ({"summary": ""}, "summary='' should be one line of text"),
    ({"summary": "two\nlines"}, "should be one line of text"),
    ({"summary": None}, "should be one line of text"),
    ({"requires": "torch"}, "requires='torch' should be a tuple of importable names"),
    ({"requires": ("torch>=2",)}, "should be a tuple of importable names"),
    ({"requires": (3,)}, "should be a tuple of importable names"),
    ({"install": "pip\n"}, "should be one line, the command"),
    ({"parallel": "batch"}, "parallel='batch'"),
    ({"parallel": ["none"]}, "parallel=['none']"),
    ({"algebra": "bals"}, "algebra='bals'; did you mean 'blas'?"),
    ({"mathematics": "quantum"}, "mathematics='quantum'"),
    ({"counterpart": "python"}, "should be None or (name, options)"),
    ({"counterpart": ("python", None)}, "should be None or (name, options)"),
    ({"counterpart": ("Python", {})}, "should be None or (name, options)"),
    ({"environment": {}}, "environment={} should be a function"),
    ({"launcher": "mpiexec"}, "launcher='mpiexec' should be None or a function"),
    ({"known_failures": ("x",)}, "should be a mapping from check to reason"),
    ({"known_failures": {"x": ""}}, "should be a mapping from check to reason"),
    ({"options": None}, "options=None should be a mapping"),
    ({"options": {3: (1,)}}, "should be a mapping from option to values"),
    ({"options": {"Team": ("a",)}}, "should be a lower-case Python name"),
    ({"options": {"my-team": ("a",)}}, "should be a lower-case Python name"),
    ({"options": {"workers": (1, 2)}}, "an option cannot be called 'workers'"),
    ({"options": {"network": ("a",)}}, "an option cannot be called 'network'"),
    ({"options": {"class": ("a",)}}, "an option cannot be called 'class'"),
    ({"options": {"team": "pool"}}, "should be a tuple of values"),
    ({"options": {"team": ()}}, "should be a tuple of values"),
    ({"options": {"team": (...,)}}, "should be a tuple of values, the default first"),
    ({"options": {"team": ("a", ..., "b")}}, "... at the end if at all"),
    ({"options": {"team": ("a", 1)}}, "should hold only str or only int"),
    ({"options": {"team": (True, False)}}, "should hold only str or only int"),
    ({"options": {"team": (1.5,)}}, "should hold only str or only int"),
    ({"options": {"team": (["a"],)}}, "should hold only str or only int"),
    ({"options": {"team": ("a", "a")}}, "lists a value twice"),
    ({"options": {"team": ("a,b",)}}, "holds a value that cannot be typed"),
    ({"options": {"team": ("",)}}, "holds a value that cannot be typed"),
    ({"options": {"team": ("a b",)}}, "holds a value that cannot be typed"),
    ({"options": {"team": ("\x1b",)}}, "holds a value that cannot be typed"),
    ({"options": {"device": ("gpu",)}}, "is reserved: its values are cpu, cuda"),
    ({"options": {"device": ("cpu", ...)}}, "is reserved: its values are cpu, cuda"),
    ({"options": {"precision": ("ieee", "fp8")}}, "is reserved: its values are ieee, tf32, bf16"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_a_spec_is_refused_that_says(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError, match=re.escape(message)):
        spec(**fields)


def test_who_must_upgrade_is_said() -> None:
    for api, step in ((2, "upgrade the harness: pip install --upgrade backprop-harness"), (0, "upgrade the plugin")):
        with pytest.raises(PluginError) as raised:
            spec(api=api)
        assert raised.value.step == step


def test_the_least_spec_has_the_contracts_defaults() -> None:
    least = spec()
    assert (least.requires, least.install, dict(least.options), least.counterpart) == ((), "", {}, None)
    assert dict(least.known_failures) == {}
    assert (least.mathematics, least.launcher, least.environment(3, {})) == ("minibatch", None, {})


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(BackendSpec) if f.name in FIELDS])
def test_a_field_without_a_default_must_be_given(field: str) -> None:
    with pytest.raises(TypeError, match=field):
        BackendSpec(**{name: value for name, value in FIELDS.items() if name != field})


def test_fields_are_keywords_only() -> None:
    with pytest.raises(TypeError, match="positional"):
        BackendSpec(*FIELDS.values())  # type: ignore[misc]


def test_a_spec_cannot_be_changed() -> None:
    given: dict[str, Any] = dict(OPTIONS)
    one = spec(options=given)
    given["later"] = (1,)
    assert "later" not in one.options
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        one.options["later"] = (1,)  # type: ignore[index]


def test_specs_are_values_that_can_be_copied_replaced_and_hashed() -> None:
    one = spec(options=OPTIONS, counterpart=("python", {}), environment=library_threads)
    assert copy.copy(one) == one
    assert hash(one) == hash(dataclasses.replace(one))
    assert dataclasses.replace(one, name="other").name == "other"


def test_options_left_out_are_at_their_first_value() -> None:
    one = spec(options=OPTIONS)
    assert one.defaults() == one.resolve({}) == {"device": "cpu", "blas_threads": 1, "team": "pool", "depth": 3}
    assert one.resolve({"team": "fork"})["team"] == "fork"
    assert one.listed("blas_threads") == (1, 2)


def test_an_option_that_ends_in_dots_takes_others_of_its_type() -> None:
    one = spec(options=OPTIONS)
    assert one.resolve({"blas_threads": 64})["blas_threads"] == 64
    assert one.parse({"blas_threads": "-3"})["blas_threads"] == -3
    with pytest.raises(RequestError, match="should be int, not str"):
        one.resolve({"blas_threads": "64"})
    with pytest.raises(RequestError, match="blas_threads='many' should be a whole number"):
        one.parse({"blas_threads": "many"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tem": "pool"}, "mine: unknown option 'tem'; did you mean 'team'?"),
        ({"team": "pol"}, "mine: option team='pol' is unknown; did you mean 'pool'?"),
        ({"team": 1}, "mine: option team=1 should be str, not int"),
        ({"depth": 4}, "mine: option depth=4 is unknown"),
        ({"depth": True}, "should be int, not bool"),
        ({"depth": 3.0}, "should be int, not float"),
    ],
)
def test_an_option_is_refused_in_one_line(given: Mapping[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        spec(options=OPTIONS).resolve(given)


def test_the_reserved_options_are_those_of_the_contract() -> None:
    assert dict(RESERVED) == {"device": ("cpu", "cuda"), "precision": ("ieee", "tf32", "bf16")}


def test_an_unknown_field_is_python_s_own_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        spec(colour="red")


def test_what_another_interpreter_is_told_comes_back() -> None:
    options = {"team": ("pool", "fork"), "blas_threads": (1, 2, ...)}
    told = spec(
        options=options, requires=("numpy",), install="pip install it", counterpart=("blas", {"kernels": "auto"})
    )
    data = json.loads(json.dumps(told.to_json()))
    again = BackendSpec.from_json({**data, "of_a_later_version": 1})
    assert again == told
    assert again.to_json() == data
