"""The gate that tests itself: on made-up times with a known truth, and the copy that really wastes time."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.contract.spec import BackendSpec
from harness.errors import HarnessError, InputOutputError, RequestError
from harness.plan.cell import Cell
from harness.report.compare import Side, Thresholds
from harness.report.compare.error_rate import LEVEL
from harness.report.compare.pairing import Pair, Samples
from harness.report.compare.verdicts import judged
from harness.session.gate import calibration as kept
from harness.session.gate import slowed
from harness.session.gate.calibrating import CalibrationRuns, Calibrator, Trio
from harness.session.gate.calibration import Calibration, Gate
from harness.session.gate.slowed import Slowed
from harness.session.gate.thresholds import gated
from harness.store import Stored
from tests.fakes.site import Site
from tests.mutants.good_backend import Good
from tests.report.compare.made import side, stored
from tests.samples import a_cell

ROUNDS, RUNS = 20, 10


def trio(batch: int) -> Trio:
    cell = a_cell(batch=batch)
    return cell, replace(cell, time_limit=cell.time_limit + 1), replace(cell, backend="slowed")


class Machine:
    """Times with noise; the third cell of a trio takes ``factor`` times as long."""

    def __init__(self, factor: float, sigma: float = 0.03, state: str = "ok") -> None:
        self.rng, self.factor, self.sigma, self.state = np.random.default_rng(5), factor, sigma, state

    def __call__(self, cells: Sequence[Cell], turn: int) -> list[Stored]:
        rows = []
        for cell in cells:
            slow = self.factor if cell.backend == "slowed" else 1.0
            taken = 0.01 * slow * float(np.exp(self.rng.normal(0, self.sigma)))
            changes = {"backend": cell.backend, "batch": cell.batch, "time_limit": cell.time_limit}
            (entry,) = stored([taken], row={"state": self.state}, **changes)
            rows.append(replace(entry, row=replace(entry.row, round=turn)))
        return rows


def outcome(machine: Machine, rounds: int = ROUNDS, runs: int = RUNS) -> CalibrationRuns:
    return Calibrator(machine, rounds, runs).run([trio(32), trio(128)])


@pytest.fixture(scope="module")
def quiet() -> Calibration:
    return outcome(Machine(1.1)).calibration("blas", "gate", 10)


def test_a_quiet_machine_finds_10_percent_and_raises_no_alarm(quiet: Calibration) -> None:
    assert quiet.alarms == 0
    assert quiet.found >= 9
    assert quiet.alarm_rate <= 0.09
    assert quiet.smallest is not None
    assert 0.02 <= quiet.smallest <= 0.06
    assert "false alarms in 0 of 10 runs" in str(quiet)


def test_a_noisy_machine_sees_only_large_changes(quiet: Calibration) -> None:
    noisy = outcome(Machine(1.1, sigma=0.2)).calibration("blas", "gate", 10)
    assert noisy.found <= 2
    assert noisy.smallest is not None
    assert quiet.smallest is not None
    assert noisy.smallest > 4 * quiet.smallest


def test_a_machine_that_sees_not_even_a_doubling_says_so() -> None:
    assert outcome(Machine(1.1, sigma=3.0), runs=2).smallest() is None


def test_a_cell_that_fails_ends_the_calibration_with_its_reason() -> None:
    with pytest.raises(HarnessError, match="blas is crashed"):
        outcome(Machine(1.1, state="crashed"))


def test_an_interrupt_ends_the_calibration() -> None:
    with pytest.raises(HarnessError, match="interrupted"):
        Calibrator(lambda _cells, _turn: [], ROUNDS, RUNS).run([trio(32)])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("state")
def test_a_calibration_is_kept_for_its_machine_alone(quiet: Calibration) -> None:
    quiet.save()
    assert Calibration.load("box-1") == quiet
    with pytest.raises(RequestError, match=r"box-2 was never calibrated; run: harness gate --calibrate"):
        Calibration.load("box-2")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 99}', "\0"])
def test_a_damaged_calibration_is_refused_with_what_to_do(state: Path, text: str) -> None:
    path = kept.place("box-1")
    assert state in path.parents
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(RequestError, match="run: harness gate --calibrate"):
        Calibration.load("box-1")


def test_a_calibration_that_cannot_be_read_or_written_is_no_wrong_request(state: Path, quiet: Calibration) -> None:
    path = kept.place("box-1")
    path.mkdir(parents=True)
    with pytest.raises(InputOutputError, match=r"box-1\.json: Is a directory"):
        Calibration.load("box-1")
    with pytest.raises(InputOutputError, match=r"box-1\.json"):
        quiet.save()
    assert state in path.parents


def sides(before: float, after: float, rounds: int = 20) -> tuple[Side, Side]:
    """Two sides of one cell, measured in pairs with hardly any noise."""
    drift = [1 + 1e-4 * (turn % 3) for turn in range(rounds)]
    a, b = (stored([time * factor for factor in drift]) for time in (before, after))
    return side(a), side(b, word="B.db")


@pytest.mark.usefixtures("state")
def test_the_gate_widens_bands_to_what_the_machine_can_see(quiet: Calibration) -> None:
    replace(quiet, smallest=0.3).save()
    result = gated(*sides(1.0, 1.2), Thresholds())
    assert [cell.band for cell in result.cells] == [0.3]
    assert [cell.verdict for cell in result.cells] == ["same"]
    assert [cell.level for cell in result.cells] == [LEVEL]
    assert result.notes[0] == str(replace(quiet, smallest=0.3))
    assert "with 20 rounds in pairs, a band of 30% and the correction for 1 cell, this gate finds" in result.notes[1]
    assert len(result.notes) == 3


@pytest.mark.usefixtures("state")
def test_the_gate_is_stricter_where_equals_were_called_changed(quiet: Calibration) -> None:
    replace(quiet, alarm_rate=0.2).save()
    result = gated(*sides(1.0, 1.0, rounds=3), Thresholds())
    assert [cell.level for cell in result.cells] == [pytest.approx(LEVEL / 4)]
    assert sum("3 rounds, fewer than the 20" in note for note in result.notes) == 2


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("which", [0, 1])
def test_the_gate_looks_at_the_rounds_and_the_machine_of_both_sides(quiet: Calibration, which: int) -> None:
    quiet.save()
    few = [stored([1.0 + 1e-3 * turn for turn in range(20)]), stored([1.0 + 1e-3 * turn for turn in range(20)])]
    few[which] = few[which][:3]
    result = gated(side(*few[:1]), side(*few[1:], word="B.db"), Thresholds())
    word = ("A.db", "B.db")[which]
    assert f"{word} has cells of 3 rounds, fewer than the 20 of the calibration" in result.notes
    few[which] = stored([1.0] * 20, row={"machine": "box-2"})
    with pytest.raises(RequestError, match="--gate knows the noise of one machine only"):
        gated(side(*few[:1]), side(*few[1:], word="B.db"), Thresholds(), across_machines=True)


def judged_slower(rng: np.random.Generator, gate: Gate, change: float, *, sigma: float = 0.03) -> bool:
    """Measure a study of equals anew, of which one cell became slower, and judge it: is that cell called slower?"""
    pairs = []
    for batch in range(gate.cells):
        before = 0.01 * np.exp(rng.normal(0, sigma, gate.rounds[0]))
        after = 0.01 * np.exp(rng.normal(0, sigma, gate.rounds[1])) * (1 + change if batch == 0 else 1)
        run = "r" if gate.paired else "another"
        sides = Samples(tuple(stored(before, batch=1 + batch))), Samples(tuple(stored(after, batch=1 + batch, run=run)))
        pairs.append(({"batch": 1 + batch}, Pair(*sides)))
    return judged(pairs, Thresholds(gate.band), LEVEL)[0].verdict == "slower"


GATES = [
    Gate((20, 20), 0.05, 1),
    Gate((20, 20), 0.05, 4),
    Gate((20, 20), 0.15, 2),
    Gate((7, 7), 0.05, 4),
    Gate((5, 5), 0.01, 2),
    Gate((20, 20), 0.05, 2, paired=False),
    Gate((5, 12), 0.05, 2, paired=False),
]


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_what_the_gate_says_that_it_finds_it_finds_in_8_of_10_cases(quiet: Calibration, gate: Gate) -> None:
    """The gate is told the noise by a calibration; new times of a machine with that noise are judged by its rules."""
    rng, cases = np.random.default_rng(11), 120
    change = quiet.finds(gate)
    found = sum(judged_slower(rng, gate, change) for _ in range(cases))
    assert 0.70 * cases <= found <= 0.90 * cases
    assert change > gate.band
    assert f"{100 * change:.1f}%" in quiet.describe(gate)


def test_more_rounds_find_less_and_a_wider_band_or_more_cells_find_more(quiet: Calibration) -> None:
    changes = [quiet.finds(gate) for gate in (
        Gate((60, 60), 0.05, 1), Gate((20, 20), 0.05, 1), Gate((5, 5), 0.05, 1), Gate((5, 5), 0.05, 20),
        Gate((5, 5), 0.5, 20), Gate((2, 2), 0.5, 20),
    )]  # fmt: skip
    assert changes == sorted(changes)
    assert changes[-1] == np.inf
    assert "no change at all" in quiet.describe(Gate((2, 2), 0.05, 1))


@pytest.mark.usefixtures("state")
def test_a_gate_that_sees_nothing_is_refused(quiet: Calibration) -> None:
    replace(quiet, smallest=None).save()
    with pytest.raises(RequestError, match="guards nothing"):
        gated(*sides(1.0, 1.0, rounds=3), Thresholds())


class Sleepy(Good):
    """Takes 20 ms an epoch, 10 of them in ``sync``."""

    def train_epoch(self, batch_size: int, rate: float) -> None:
        super().train_epoch(batch_size, rate)
        time.sleep(0.01)

    def sync(self) -> None:
        time.sleep(0.01)


def made(monkeypatch: pytest.MonkeyPatch, kind: type[Good], percent: int) -> tuple[Slowed, Any, Any]:
    spec = BackendSpec(api=1, name="good", implementation="a:B", summary="s", parallel="none", algebra="blas")
    monkeypatch.setattr(slowed, "base_of", lambda _word: (spec, {}))
    monkeypatch.setattr(slowed, "get_backend", lambda _name: kind)
    network = Network.dense([4, 3, 2])
    backend = Slowed(network, initial_parameters(network), base="good", percent=percent)
    x, y = np.ones((8, 4), np.float32), np.zeros((8, 2), np.float32)
    backend.load(x, y)
    return backend, x, y


def test_the_slowed_copy_wastes_its_share_of_all_that_an_epoch_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _, _ = made(monkeypatch, Sleepy, 100)
    begin = time.perf_counter()
    backend.train_epoch(4, 0.1)
    assert time.perf_counter() - begin >= 0.04  # never less, however slow the machine is


def test_the_slowed_copy_computes_what_its_base_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, x, y = made(monkeypatch, Good, 10)
    plain = Good(backend.network, initial_parameters(backend.network))
    plain.load(x, y)
    for instance in (backend, plain):
        instance.train_epoch(4, 0.1)
        instance.sync()
    for (w, b), (w_plain, b_plain) in zip(backend.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(w, w_plain)
        np.testing.assert_array_equal(b, b_plain)
    backend.close()
    backend.close()


def test_the_slowed_copy_is_there_only_while_the_gate_works(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert "slowed" not in site.listed()[0]
    listed = site.listed(HARNESS_GATE_SLOWED="1")[0]["slowed"]
    assert "wastes" in listed["summary"]


def test_the_command_calibrates_and_compare_uses_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    small = ["--set", "batch=128", "--set", "epochs=2", "--set", "dataset.rows=256"]
    calibrated = site.harness(
        "gate", "--calibrate", "--rounds", "5", "--runs", "1", "--percent", "300", *small, **state
    )
    assert calibrated.code == 0, calibrated.err
    assert "a copy slowed by 300% found in 1 of 1" in calibrated.out
    shown = site.harness("gate", "--json", **state)
    assert json.loads(shown.out)["percent"] == 300
    assert json.loads(shown.out)["cells"] == 1
    gated = site.harness("compare", "blas", "slowed", "--store", "results-gate.db", "--gate", **state)
    assert "gate of" in gated.out + gated.err  # five pairs of a busy machine may see nothing
    refused = site.harness("gate", "--calibrate", "--rounds", "2", **state)
    assert refused.code == 2
    assert "at least 5 rounds" in refused.err
