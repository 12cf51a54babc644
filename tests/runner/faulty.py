"""The implementation of an installed plugin that does one bad thing in its second epoch, or in its constructor."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from itertools import count

import numpy as np

from harness.contract.arrays import Parameters
from harness.contract.network import Network
from harness.errors import Unavailable, Unsupported
from tests.machine.process import deeds
from tests.worker.plain_backends import Plain

FAKE_ROW = '{"state": "ok", "epoch_seconds": [1e-9], "gflops": 1e9}'


class Faulty(Plain):
    """Healthy but for ``fault``."""

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, fault: str = "healthy") -> None:
        super().__init__(network, parameters, workers=workers)
        self.fault = fault
        self.epochs = count(1)
        if fault == "unsupported":
            raise Unsupported("never on any machine")
        if fault == "unavailable":
            raise Unavailable("no such device here")

    def train_epoch(self, batch_size: int, rate: float) -> None:
        super().train_epoch(batch_size, rate)
        if next(self.epochs) == 2 and self.fault in FAULTS:
            FAULTS[self.fault](self)

    def rank(self) -> int:
        return int(os.environ.get("RANK", "0"))

    def step(self, rate: float) -> None:
        super().step(rate * (1.01 if self.fault == "wrong" else 1.0))


def _become_nan(backend: Faulty) -> None:
    backend.weights[0][0][:] = np.nan


def _leave_threads(_: Faulty) -> None:
    for _number in range(3):
        threading.Thread(target=deeds.sleep).start()


def _print_rows(_: Faulty) -> None:
    for number in (1, 2):
        os.write(number, f"{FAKE_ROW}\n".encode() * 10)
    os._exit(0)


def _deed(name: str) -> Callable[[Faulty], None]:
    return lambda _: getattr(deeds, name)()


DEEDS = (
    "segfault",
    "abort",
    "hang_in_c",
    "ignore_terminate",
    "stop_itself",
    "fork_ten_quietly",
    "exit_at_once",
    "exit_politely",
    "raise_base_exception",
    "recurse",
    "eat_memory",
    "kill_the_guardian",
)
FAULTS: dict[str, Callable[[Faulty], None]] = {
    **{name: _deed(name) for name in DEEDS},
    "close_all_files": lambda _: os.closerange(0, 1000),
    "change_directory": lambda _: os.chdir("/"),
    "print_much": lambda _: deeds.print_lines(),
    "become_nan": _become_nan,
    "leave_threads": _leave_threads,
    "print_rows": _print_rows,
}
