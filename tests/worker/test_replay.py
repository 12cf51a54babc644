"""What is timed is what is checked: every instance that gives a time is held to the truth, whatever it did before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.contract.network import Network
from harness.worker.parity import plan as parity_plan
from harness.worker.parity import replay as replaying
from harness.worker.parity import verdict
from tests.worker import plain_backends

Run = Callable[..., Any]
LATER = ("IdleLater", "OneRowInEightLater", "StaleWeightsLater", "FasterRateLater", "DroppedBiasLater")


@pytest.fixture(autouse=True)
def _nobody_was_made() -> None:
    plain_backends.IdleWhereItIsTimed.made = 0
    plain_backends.SpoilsTheSetLater.made = 0


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the set too large for the bounds of a whole epoch, as the sets of the study ``speed`` are."""
    monkeypatch.setattr(parity_plan, "BUDGET", 0.02)
    monkeypatch.setattr(replaying, "SECONDS", 0.02)


@pytest.mark.parametrize("kind", LATER)
def test_who_cheats_under_the_clock_alone_is_wrong(run: Run, kind: str) -> None:
    fields = run(kind)
    assert fields["state"] == "wrong", fields["receipt"]["parity"]
    assert fields.get("gflops") is None


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    "kind", ["IdleLater", "OneRowInEightLater", "StaleWeightsLater", "DroppedBiasLater", "BeyondTheHead"]
)
def test_who_cheats_on_a_large_set_is_wrong(run: Run, kind: str) -> None:
    fields = run(kind, dataset_options={"rows": 3000, "inputs": 64, "outputs": 10}, batch=32)
    assert fields["receipt"]["parity"]["compared"] == "head"
    assert fields["receipt"]["parity"]["replay"]["how"] == "whole arrays"
    assert fields["state"] == "wrong"
    assert "after timed sample" in fields["reason"]


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    "network",
    [
        Network.dense([64, 16, 10]),
        Network.dense([64, 24, 16, 10], activation=["tanh", "relu", "linear"]),
        Network.dense([64, 16, 10], activation=["relu", "linear"], loss="ce"),
        Network.dense([64, 16, 10], dtype="float64"),
    ],
    ids=str,
)
@pytest.mark.parametrize(("batch", "rate"), [(32, 0.5), (7, 0.05), (3000, 0.5)])
def test_an_honest_backend_is_right_on_a_large_set(run: Run, network: Network, batch: int, rate: float) -> None:
    fields = run(dataset_options={"rows": 3000, "inputs": 64, "outputs": 10}, network=network, batch=batch, rate=rate)
    assert fields["state"] == "ok", fields["reason"]
    assert fields["receipt"]["parity"]["replay"]["verdict"] in ("compared", "too dear", "not comparable")


def test_what_is_too_dear_to_replay_says_that_only_the_head_was_compared(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity_plan, "BUDGET", 0.02)
    monkeypatch.setattr(replaying, "SECONDS", -100.0)
    fields = run(dataset_options={"rows": 3000, "inputs": 64, "outputs": 10})
    assert fields["state"] == "ok"
    rows = fields["receipt"]["parity"]["rows"]
    warning = f"head only: an epoch of the first {rows} rows was compared, and nothing of what was timed"
    assert warning in fields["warnings"]
    assert fields["receipt"]["parity"]["replay"]["verdict"] == "too dear"


def test_the_instance_that_is_timed_is_the_one_that_is_checked(run: Run) -> None:
    settings: dict[str, Any] = {
        "dataset_options": {"rows": 20, "inputs": 8, "outputs": 2},
        "network": Network.dense([8, 4, 2]),
    }
    assert run("Plain", **settings)["state"] == "ok"
    fields = run("IdleWhereItIsTimed", **settings)
    assert fields["receipt"]["epochs_per_sample"] > 1, "a second instance was timed"
    assert fields["state"] == "wrong"


def test_a_set_of_which_two_rows_changed_places_is_found_and_named(run: Run) -> None:
    fields = run("SwapsTwoRows")
    assert fields["state"] == "wrong"
    assert fields["reason"] == "the backend wrote to x, which it was only lent"


def test_who_writes_to_a_set_unawares_is_told_where(run: Run) -> None:
    fields = run("WritesUnawares")
    assert fields["state"] == "error"
    assert "read-only" in fields["reason"]
    assert "plain_backends.py" in fields["reason"]


def test_work_that_is_done_when_the_weights_are_looked_at_is_no_speed(run: Run) -> None:
    fields = run("TrainsWhenLookedAt", dataset_options={"rows": 20_000, "inputs": 64, "outputs": 10}, batch=16)
    assert fields["state"] == "wrong"
    assert fields["reason"].startswith("work was left outside the clock: after sync(), parameters() took ")
    assert fields.get("gflops") is None


def test_a_wrong_step_is_wrong_although_the_epochs_are_right(run: Run) -> None:
    fields = run("WrongStep")
    assert fields["state"] == "wrong"
    assert "parameters after one step" in fields["reason"]


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the reference so slow that not one timed sample can be trained again by it."""
    monkeypatch.setattr(parity_plan, "BUDGET", 0.02)
    monkeypatch.setattr(replaying, "BARE", {"float32": 1e-6, "float64": 1e-6})


@pytest.mark.usefixtures("dear")
@pytest.mark.parametrize(
    "kind",
    [
        "IdleLater",
        "OneRowInEightLater",
        "StaleWeightsLater",
        "DroppedBiasLater",
        "BeyondTheHead",
        "OneRowInEightOfLargeSets",
    ],
)
def test_who_cheats_where_the_reference_is_too_slow_is_wrong(run: Run, kind: str) -> None:
    fields = run(kind, dataset_options={"rows": 3000, "inputs": 64, "outputs": 10}, batch=4)
    assert fields["state"] == "wrong", fields["receipt"]["parity"]
    assert any(words in fields["reason"] for words in ("own training in pieces", "of a timed sample trained again"))


@pytest.mark.usefixtures("dear")
@pytest.mark.parametrize("kind", ["Plain", "RowsReversed", "SumsInPieces"])
@pytest.mark.parametrize(("batch", "rate"), [(1, 0.05), (4, 0.5), (300, 0.5)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_honest_backend_agrees_with_its_own_training_in_pieces(
    run: Run, kind: str, batch: int, rate: float, dtype: str
) -> None:
    network = Network.dense([64, 16, 10], dtype=dtype)
    options = {"rows": 3000, "inputs": 64, "outputs": 10}
    fields = run(kind, network=network, dataset_options=options, batch=batch, rate=rate)
    assert fields["state"] == "ok", fields["reason"]
    replayed = fields["receipt"]["parity"]["replay"]
    assert (replayed["how"], replayed["verdict"]) == ("own pieces", "compared")
    assert not [warning for warning in fields["warnings"] if warning.startswith("head only")]


def test_an_instance_that_is_not_timed_may_not_spoil_the_truth_of_the_next_backend(run: Run) -> None:
    fields = run("SpoilsTheSetLater", history=True)
    assert fields["state"] == "wrong"
    assert fields["reason"] == "the backend wrote to x, which it was only lent"
    assert run("Plain", history=True)["state"] == "ok"


CHAOS: dict[str, Any] = {
    "dataset": "digits",
    "dataset_options": {},
    "network": Network.dense([64, 32, 10], activation=["relu", "linear"], loss="ce"),
    "batch": 1,
    "rate": 0.3,
    "seed": 0,
    "epochs": 1,
}


def test_a_right_backend_is_not_wrong_where_training_is_chaotic(run: Run) -> None:
    fields = run(**CHAOS)
    assert fields["state"] == "ok", fields["reason"]
    parity = fields["receipt"]["parity"]
    assert parity["compared"] == "head"
    assert 0 < parity["rows"] < 1498
    assert parity["looseness"] <= parity_plan.LOOSE


@pytest.fixture
def hopeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no bound be tight, as in training that is chaotic from its first batch on."""
    monkeypatch.setattr(verdict, "LOOSE", 0.0)
    monkeypatch.setattr(replaying, "LOOSE", 0.0)


@pytest.mark.usefixtures("hopeless")
def test_what_cannot_be_compared_is_ok_and_has_times_and_no_speed(run: Run) -> None:
    fields = run()
    assert fields["state"] == "ok", fields["reason"]
    assert fields["receipt"]["parity"]["verdict"] == "not comparable"
    assert len(fields["epoch_seconds"]) == 3
    assert fields.get("gflops") is None


@pytest.mark.usefixtures("hopeless")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("WrongStep", "parameters after one step"),
        ("SumNotMean", "parameters after one step"),
        ("IdleLater", "moved no weight"),
        ("OutputsOff", "outputs of one batch"),
    ],
)
def test_what_is_wrong_in_one_step_or_idle_is_wrong_there_too(run: Run, kind: str, said: str) -> None:
    fields = run(kind)
    assert fields["state"] == "wrong"
    assert said in fields["reason"]


def test_a_wrong_step_is_wrong_where_training_is_chaotic(run: Run) -> None:
    assert run("SumNotMean", **{**CHAOS, "batch": 4})["state"] == "wrong"


@pytest.mark.usefixtures("hopeless")
def test_training_that_has_settled_where_it_began_is_not_idle(run: Run) -> None:
    """Here every later epoch ends exactly where it began, though one batch alone moves some weights."""
    network = Network.dense([64, 24, 16, 10], activation=["tanh", "relu", "linear"])
    options = {"rows": 3000, "inputs": 64, "outputs": 10}
    fields = run(network=network, dataset_options=options, batch=32, rate=0.5)
    assert fields["state"] == "ok", fields["reason"]
