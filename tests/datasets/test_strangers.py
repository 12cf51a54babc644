from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import DataError, Dataset, PluginError, RequestError, Shape
from harness.contract.registry import registry
from harness.datasets import fetch, load_dataset, shape_of

Stranger = Callable[..., None]
FIELDS: dict[str, Any] = {"summary": "made up", "inputs": 2, "outputs": 1, "licence": "CC0"}

MODULE = """
import numpy as np
from harness import Data, DataError, RemoteFile, Shape

def load(*, rows=3):
    return Data(np.zeros((rows, 2)), np.ones((rows, 1)))

def shape(*, rows=3):
    return Shape(rows, 2, 1)

def late(*, rows=3):
    raise AssertionError("the data should not be loaded")

def broken(*, rows=3):
    return rows / 0

def refusing(*, rows=3):
    raise DataError("the dog ate it")

def other(*, rows=3):
    return [rows]

def nothing():
    return Data(np.zeros((1, 1)), np.zeros((1, 1)))

def files(*, rows=3):
    return [RemoteFile(path="stranger/a", urls=("http://127.0.0.1:9/a",), verify=lambda path: None)]
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stranger:
    """Register a dataset of a module that no distribution brings, for one test."""
    (tmp_path / "strange_set.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "strange_set", raising=False)

    def register(**fields: Any) -> None:
        told = {"load": "strange_set:load", "options": {"rows": (3, ...)}, **FIELDS, **fields}
        monkeypatch.setitem(registry().datasets, "strange", Dataset(name="strange", **told))

    return register


def test_the_data_are_loaded_to_know_a_shape_that_is_not_declared(stranger: Stranger) -> None:
    stranger()
    assert shape_of("strange", {"rows": 5}) == Shape(5, 2, 1)


def test_a_declared_shape_needs_no_data(stranger: Stranger) -> None:
    stranger(load="strange_set:late", shape="strange_set:shape")
    assert shape_of("strange") == Shape(3, 2, 1)
    with pytest.raises(PluginError, match="AssertionError: the data should not be loaded"):
        load_dataset("strange")


CASES = [
    ("strange_set:broken", PluginError, "dataset 'strange': 'strange_set:broken' failed: ZeroDivisionError"),
    ("strange_set:other", PluginError, "'strange_set:other' returned list, but must return Data"),
    ("strange_set:gone", PluginError, "'strange_set:gone' failed: AttributeError"),
    ("no_such_module:load", PluginError, "'no_such_module:load' failed: ModuleNotFoundError"),
    ("strange_set:nothing", PluginError, "'strange_set:nothing' failed: TypeError"),
    ("strange_set:refusing", DataError, "^the dog ate it$"),
]


@pytest.mark.parametrize(("load", "kind", "cause"), CASES)
def test_what_goes_wrong_in_a_strangers_code_is_said_to_be_its(
    stranger: Stranger, load: str, kind: type[Exception], cause: str
) -> None:
    stranger(load=load)
    with pytest.raises(kind, match=cause):
        load_dataset("strange")


def test_its_files_are_fetched_as_any(stranger: Stranger) -> None:
    stranger(files="strange_set:files")
    with pytest.raises(DataError, match=r"^stranger/a cannot be fetched: http://127\.0\.0\.1:9/a: the connection"):
        fetch("strange")


def test_options_it_does_not_declare_are_refused(stranger: Stranger) -> None:
    stranger(options={})
    with pytest.raises(RequestError, match="dataset 'strange': unknown option 'rows'; none is known"):
        load_dataset("strange", {"rows": 3})


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"load": "no colon"}, "load 'no colon' should be 'module:function'"),
        ({"shape": "a.b"}, "shape 'a.b' should be 'module:function'"),
        ({"files": ":x"}, "files ':x' should be 'module:function'"),
        ({"options": {"Rows": (1,)}}, "option 'Rows' should be a lower-case Python name"),
        ({"options": {"name": ("x",)}}, "option 'name' is taken"),
        ({"options": {"rows": ()}}, "should be a tuple of values, the default first"),
        ({"options": {"rows": (1, "2")}}, "should hold only str or only int"),
    ],
)
def test_a_wrong_description_is_the_plugins_fault(stranger: Stranger, fields: dict[str, Any], cause: str) -> None:
    with pytest.raises(PluginError, match=cause):
        stranger(**fields)
