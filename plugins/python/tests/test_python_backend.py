"""What is special about ``python``; that it computes the right thing is the conformance suite's business."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import harness_python
import numpy as np
import pytest
from harness_python import example
from harness_python.backend import PythonBackend
from harness_python.forking import forked

from harness import Activation, Network, Unsupported, initial_parameters


def test_results_come_in_the_order_of_the_tasks() -> None:
    assert forked(lambda task: task * 10, [3, 1, 2]) == [30, 10, 20]


def test_every_task_but_the_first_has_a_thread_of_its_own() -> None:
    names = forked(lambda _: threading.get_ident(), [0, 1, 2])
    assert names[0] == threading.get_ident()
    assert threading.get_ident() not in names[1:]


def test_an_error_in_a_thread_is_raised_in_the_caller_once_all_have_ended() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        forked(lambda task: 1 // task, [1, 0, 1])
    assert threading.active_count() == before


@pytest.mark.parametrize("module", ["algebra", "example", "forking"])
def test_the_arithmetic_knows_no_numpy(module: str) -> None:
    path = Path(harness_python.__file__).parent / f"{module}.py"
    names = [node.names[0].name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import)]
    assert not {"numpy", "scipy"} & set(names)


def test_an_activation_without_a_scalar_form_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network.dense([2, 1])
    arrays_only = Activation("arrays-only", lambda _, z: z, lambda xp, z, _: xp.ones_like(z), (-1.0, 1.0))
    monkeypatch.setattr(example, "activation", lambda _: arrays_only)
    with pytest.raises(Unsupported, match="no scalar form"):
        PythonBackend(network, initial_parameters(network))


def test_the_receipt_says_whether_there_was_a_gil() -> None:
    network = Network.dense([2, 1])
    with PythonBackend(network, initial_parameters(network), workers=2) as backend:
        assert backend.facts()["gil"] in {"on", "off"}
        assert backend.facts()["threads"] == 2


def test_weights_too_large_for_float32_come_out_infinite_without_a_warning() -> None:
    network = Network.dense([1, 1], activation="linear")
    with PythonBackend(network, initial_parameters(network)) as backend:
        backend.load(np.full((1, 1), 1e30, np.float32), np.zeros((1, 1), np.float32))
        backend.train_epoch(1, 1e30)
        assert np.isinf(backend.parameters()[0][0]).all()
