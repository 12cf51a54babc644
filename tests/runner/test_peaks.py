"""The machine's limit: measured for what the cells use, once a round, and an alarm when it drifts."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from harness.contract.network import Network
from harness.runner.events import Event, LimitBegun, LimitEnded
from harness.runner.peaks import Peak, Peaks, measure_limit
from tests.runner.sweep import cell
from tests.samples import a_row


class Machine:
    """A machine whose peaks are listed."""

    def __init__(self, *peaks: float | None) -> None:
        self.peaks = list(peaks)
        self.asked: list[tuple[int, str]] = []
        self.events: list[Event] = []

    def measure(self, threads: int, dtype: str, stop: threading.Event) -> Peak:
        assert not stop.is_set()
        self.asked.append((threads, dtype))
        gflops = self.peaks.pop(0)
        return Peak(gflops, {"gflops": gflops}, "" if gflops else "nothing to multiply with")

    def limits(self, stop: threading.Event | None = None) -> Peaks:
        return Peaks(self.measure, stop or threading.Event(), self.events.append)


def test_every_number_of_threads_and_dtype_in_use_is_measured_once() -> None:
    machine = Machine(1.0, 2.0, 3.0, 4.0)
    double = Network.dense([8, 4, 2], dtype="float64")
    cores = len(os.sched_getaffinity(0))
    machine.limits().refresh([cell(), cell(rate=0.5), cell(network=double), cell(workers=1000)], 0)
    assert machine.asked == sorted({(1, "float32"), (1, "float64"), (cores, "float32")})


def test_cells_on_devices_or_other_machines_have_no_limit_here() -> None:
    machine = Machine()
    machine.limits().refresh([cell(options={"device": "cuda"}), cell(hosts=("a", "b"))], 0)
    assert machine.asked == []


def test_a_row_gets_its_share_of_the_highest_limit_of_the_run() -> None:
    machine = Machine(100.0, 104.0)
    limits = machine.limits()
    for turn in range(2):
        limits.refresh([cell()], turn)
    row = limits.applied(a_row(cell(), gflops=52.0, warnings=()))
    assert row.peak_share == 0.5
    assert row.receipt["limit"] == {"gflops": 104.0}
    assert row.warnings == ()
    assert machine.events[-2:] == [LimitBegun(1, "float32", 1), LimitEnded(1, "float32", 1, 104.0)]


def test_a_disturbed_limit_does_not_raise_the_share_of_a_later_row() -> None:
    limits = Machine(104.0, 60.0).limits()
    for turn in range(2):
        limits.refresh([cell()], turn)
    assert limits.applied(a_row(cell(), gflops=52.0)).peak_share == 0.5


def test_a_cell_above_the_limit_has_the_limit_measured_again() -> None:
    machine = Machine(50.0, 80.0)
    limits = machine.limits()
    limits.refresh([cell()], 0)
    row = limits.applied(a_row(cell(), gflops=60.0, warnings=()))
    assert row.peak_share == 0.75
    assert machine.peaks == []


def test_no_share_is_above_one_and_none_is_clamped() -> None:
    limits = Machine(50.0, 55.0).limits()
    limits.refresh([cell()], 0)
    row = limits.applied(a_row(cell(), gflops=60.0, warnings=()))
    assert row.peak_share is None
    assert "ran at 60 GFLOP/s, above the limit of 55: the limit was measured too low" in row.warnings


@pytest.mark.parametrize("now", [80.0, 120.0])
def test_a_machine_that_changes_speed_raises_an_alarm(now: float) -> None:
    limits = Machine(100.0, now).limits()
    for turn in range(2):
        limits.refresh([cell()], turn)
    (warning,) = limits.applied(a_row(cell(), warnings=())).warnings
    assert f"its limit is {now:.0f} GFLOP/s and was 100 before" in warning


def _warned(*peaks: float) -> list[bool]:
    """Return for each round whether its row warns."""
    limits, warned = Machine(*peaks).limits(), []
    for turn in range(len(peaks)):
        limits.refresh([cell()], turn)
        warned.append(bool(limits.applied(a_row(cell(), warnings=())).warnings))
    return warned


def test_one_disturbed_peak_does_not_follow_every_later_row() -> None:
    assert _warned(70.0, 100.0, 99.0, 101.0) == [False, True, False, False]
    assert _warned(100.0, 70.0, 99.0, 101.0) == [False, True, False, False]


def test_a_machine_that_stays_slower_is_an_alarm_until_slower_is_usual() -> None:
    assert _warned(100.0, 100.0, 70.0, 70.0, 70.0, 70.0) == [False, False, True, True, True, False]


def test_a_limit_that_cannot_be_measured_is_said_in_the_row() -> None:
    limits = Machine(None).limits()
    limits.refresh([cell()], 0)
    row = limits.applied(a_row(cell(), peak_share=None, warnings=()))
    assert row.peak_share is None
    assert row.warnings == ("nothing to multiply with",)


def test_a_row_that_is_not_ok_stays_as_it_is() -> None:
    limits = Machine(100.0).limits()
    limits.refresh([cell()], 0)
    row = a_row(cell(), state="wrong", peak_share=None)
    assert limits.applied(row) == row


def test_nothing_is_measured_once_the_run_is_to_stop() -> None:
    stop = threading.Event()
    stop.set()
    machine = Machine()
    machine.limits(stop).refresh([cell()], 0)
    assert machine.asked == []


def test_this_machine_has_a_limit() -> None:
    peak = measure_limit(1, "float32", threading.Event())
    assert peak.gflops is not None, peak.reason
    assert peak.gflops > 0.1
    facts: dict[str, Any] = dict(peak.facts)
    assert (facts["threads"], facts["dtype"]) == (1, "float32")
