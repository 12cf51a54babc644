from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from harness.contract import reference
from harness.contract.losses import loss_value
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.datasets import load_dataset
from harness.errors import Unavailable, Unsupported
from harness.worker.measuring import measure
from harness.worker.parity import plan as parity_plan
from tests.worker import plain_backends

Run = Any


def test_a_right_backend_gets_every_figure(run: Run) -> None:
    fields = run()
    assert fields["state"] == "ok", fields["reason"]
    assert fields["setup_seconds"] > 0
    assert fields["load_seconds"] > 0
    assert fields["first_epoch_seconds"] > 0
    assert len(fields["epoch_seconds"]) == 3
    network = Network.dense([64, 16, 10])
    expected = network.flops_per_example * 300 / np.median(fields["epoch_seconds"]) / 1e9
    assert fields["gflops"] == pytest.approx(expected)
    json.dumps(fields, allow_nan=False)


@pytest.mark.parametrize("epochs", [1, 4])
def test_loss_belongs_to_exactly_one_plus_epochs_epochs(run: Run, epochs: int) -> None:
    fields = run(epochs=epochs)
    data = load_dataset("synthetic", {"rows": 300, "inputs": 64, "outputs": 10})
    network = Network.dense([64, 16, 10])
    weights = initial_parameters(network, 3)
    for _ in range(1 + epochs):
        weights = reference.train_epoch(network, weights, data.x_train, data.y_train, 32, 0.5)
    outputs = reference.forward(network, weights, data.x_train).outputs
    assert fields["final_loss"] == pytest.approx(loss_value("mse", outputs, data.y_train), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("LastBatchLost", "after the first epoch"),
        ("SumNotMean", "after the first epoch"),
        ("IdleAfterwards", "after all 4 epochs"),
        ("WritesToItsData", "wrote to x"),
        ("OutputsOff", "outputs of one batch"),
        ("GradientsStale", "gradients of one batch: bias of layer 1"),
    ],
)
def test_a_wrong_backend_keeps_its_samples_and_gets_no_speed(run: Run, kind: str, words: str) -> None:
    fields = run(kind)
    assert fields["state"] == "wrong"
    assert words in fields["reason"]
    assert len(fields["epoch_seconds"]) == 3
    assert fields.get("gflops") is None


def test_a_layer_that_is_not_there_is_an_error(run: Run) -> None:
    fields = run("NoGradients")
    assert fields["state"] == "error"
    assert "gradients() has shapes []" in fields["reason"]


@pytest.mark.parametrize("given", [None, [None], [(1.0, 2.0)], "weights"])
def test_what_has_not_the_form_of_gradients_is_an_error_that_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, given: object
) -> None:
    monkeypatch.setattr(plain_backends.NoGradients, "gradients", lambda _self: given)
    fields = run("NoGradients")
    assert fields["state"] == "error"
    assert "gradients() should be a list of (weights, bias) tuples of arrays, not " in fields["reason"]


def test_weights_that_are_not_finite_are_diverged(run: Run) -> None:
    fields = run("Explodes")
    assert (fields["state"], fields.get("gflops"), fields.get("final_loss")) == ("diverged", None, None)


@pytest.mark.filterwarnings("ignore:overflow encountered")  # the rate overflows on purpose
@pytest.mark.parametrize("kind", ["Plain", "SumNotMean"])
def test_nobody_gets_a_speed_where_the_reference_has_no_finite_weights_to_compare_with(run: Run, kind: str) -> None:
    fields = run(kind, rate=1e30)
    assert fields["state"] == "diverged", fields["reason"]
    assert fields["reason"].startswith("the float64 reference does not stay finite")
    assert fields.get("gflops") is None


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (Unsupported("no tanh"), "unsupported", "no tanh"),
        (Unavailable("no GPU"), "unavailable", "no GPU"),
        (MemoryError("64 GiB"), "out-of-memory", "64 GiB"),
        (RuntimeError("CUDA error: out of memory"), "out-of-memory", "CUDA"),
        (ValueError("three\nlines\nlong"), "error", "ValueError: three lines long (plain_backends.py, line "),
        (KeyboardInterrupt(), "error", "KeyboardInterrupt"),
        (SystemExit(0), "error", "SystemExit: 0"),
    ],
)
def test_an_exception_ends_in_its_own_state(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, state: str, words: str
) -> None:
    monkeypatch.setattr(plain_backends.Raises, "error", error)
    fields = run("Raises")
    assert fields["state"] == state
    assert words in fields["reason"]
    assert "\n" not in fields["reason"]
    assert fields["setup_seconds"] > 0


def test_only_the_first_rank_has_a_row(run: Run) -> None:
    assert run("SecondRank") is None


def test_the_worker_calls_in_the_documented_order(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(plain_backends.Loud, "calls", calls)
    fields = run("Loud", epochs=2, batch=8, dataset_options={"rows": 500, "inputs": 64, "outputs": 10})
    assert fields["state"] == "ok", fields["reason"]
    first = ["load 500", "sync", "train_epoch", "sync", "parameters"]
    steady = ["parameters", *["train_epoch", "sync", "parameters", "parameters"] * 2]
    step = ["parameters", "gradients", "sync", "parameters"]
    assert calls == [*first, *steady, "parameters", *step, "close"]


def test_history_ends_where_the_row_ends(run: Run) -> None:
    fields = run(history=True)
    last = fields["history"][-1]
    assert [entry["epoch"] for entry in fields["history"]] == [0, 1, 2, 3, 4]
    assert last["loss"] == pytest.approx(fields["final_loss"])
    assert last["accuracy"] == pytest.approx(fields["accuracy"])
    spent = [fields["first_epoch_seconds"], *fields["epoch_seconds"]]
    assert last["seconds"] == pytest.approx(sum(spent))


def test_an_unknown_backend_is_an_error_that_names_it(run: Run, cell: Any) -> None:
    run()
    fields = measure({"cell": cell(backend="plane").to_json(), "round": 0})
    assert fields is not None
    assert fields["state"] == "error"
    assert "did you mean 'plain'" in fields["reason"]


@pytest.mark.parametrize(("kind", "state"), [("Plain", "ok"), ("SumNotMean", "wrong"), ("LastBatchLost", "wrong")])
def test_a_set_too_large_for_the_reference_is_compared_on_its_head(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: str, state: str
) -> None:
    monkeypatch.setattr(parity_plan, "BUDGET", 0.01)
    fields = run(kind, dataset_options={"rows": 3005, "inputs": 64, "outputs": 10})
    assert fields["state"] == state, fields["reason"]
    parity = fields["receipt"]["parity"]
    assert parity["compared"] == "head"
    assert parity["rows"] % 32 == 3005 % 32
    assert ("after an epoch of the first" in fields["reason"]) == (state == "wrong")


def test_an_ensemble_is_timed_and_not_compared(run: Run) -> None:
    fields = run("SumNotMean", spec={"mathematics": "ensemble"})
    assert fields["state"] == "ok", fields["reason"]
    assert fields["gflops"] > 0
    assert fields["receipt"]["parity"]["compared"] == "nothing"


def test_a_rate_too_small_to_see_is_a_warning(run: Run) -> None:
    fields = run(rate=1e-9)
    assert fields["state"] == "ok", fields["reason"]
    assert any("parity says little" in warning for warning in fields["warnings"])


def test_accuracy_is_the_test_sets_where_there_is_one(run: Run) -> None:
    fields = run(dataset="digits", dataset_options={}, network=Network.dense([64, 16, 10]))
    data = load_dataset("digits")
    assert data.x_test is not None
    right = fields["accuracy"] * len(data.x_test)
    assert right == pytest.approx(round(right))
    assert fields["accuracy"] * len(data.x_train) != pytest.approx(round(fields["accuracy"] * len(data.x_train)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("activation", "loss"), [("sigmoid", "mse"), (["tanh", "sigmoid"], "bce"), (["relu", "linear"], "ce")]
)
@pytest.mark.parametrize("batch", [1, 120])
def test_a_right_backend_is_right_in_every_net(run: Run, dtype: str, activation: Any, loss: str, batch: int) -> None:
    network = Network.dense([64, 16, 10], activation=activation, loss=loss, dtype=dtype)
    rows = {"rows": 120, "inputs": 64, "outputs": 10}
    fields = run(network=network, batch=batch, rate=0.05, epochs=1, dataset_options=rows)
    assert fields["state"] == "ok", fields["reason"]
    assert fields["warnings"] == []


def test_standard_error_that_is_closed_does_not_cost_the_row(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    closed = (tmp_path / "err").open("w")
    closed.close()
    monkeypatch.setattr("sys.stderr", closed)
    assert run("Raises")["state"] == "error"


def test_a_set_too_small_for_the_clock_is_timed_on_a_second_instance(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(plain_backends.Loud, "calls", calls)
    tiny = {"rows": 8, "inputs": 4, "outputs": 1}
    fields = run("Loud", epochs=2, batch=8, network=Network.dense([4, 3, 1]), dataset_options=tiny)
    assert fields["state"] == "ok", fields["reason"]
    repeat = fields["receipt"]["epochs_per_sample"]
    assert repeat == 50
    first, second = calls[: calls.index("close")], calls[calls.index("close") + 1 :]
    assert first.count("train_epoch") == 1 + 2
    assert second.count("train_epoch") == 1 + 2 * repeat
    assert len(fields["epoch_seconds"]) == 2


def test_steady_epochs_that_change_nothing_are_a_warning_even_where_the_end_is_not_compared(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity_plan, "BUDGET", 0.01)
    large = {"rows": 3005, "inputs": 64, "outputs": 10}
    assert any(
        "left every weight as it was" in line for line in run("IdleAfterwards", dataset_options=large)["warnings"]
    )
    assert not any("left every weight as it was" in line for line in run(dataset_options=large)["warnings"])
