"""Backends that try the suite itself: they hang, crash, chatter, refuse, or run as ranks."""

from __future__ import annotations

import os
import signal
import sys
import threading

from good_backend import Good

from harness import Array, Network, Parameters, Unavailable, Unsupported


class Hangs(Good):
    """Waits for ever where another lock would be taken, in the second close of one check."""

    closes = 0

    def close(self) -> None:
        super().close()
        self.closes += 1
        if self.closes == 2 and self.rows:
            threading.Event().wait()


class Crashes(Good):
    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        if len(x) == 23:
            os.kill(os.getpid(), signal.SIGSEGV)


class Exits(Good):
    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        if len(x) == 23:
            print("the last words", file=sys.stderr, flush=True)
            os._exit(7)


class AlwaysExits(Good):
    def load(self, x: Array, y: Array) -> None:  # noqa: ARG002  never gets that far
        os._exit(7)


class AsksToExit(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:  # noqa: ARG002  never gets that far
        sys.exit(3)


class Chatters(Good):
    def forward(self, rows: slice) -> None:
        super().forward(rows)
        print("chatter " * 10_000)
        print("chatter " * 10_000, file=sys.stderr)


class Refuses(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        raise Unsupported("nothing is supported")


class OneWorker(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        if workers > 1:
            raise Unsupported("serial by nature")


class Absent(Good):
    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        raise Unavailable("no such device here")


class Optional(Good):
    """Has an option of each type; one value of one is wrong."""

    def __init__(
        self, network: Network, parameters: Parameters, *, workers: int = 1, mode: str = "plain", depth: int = 3
    ) -> None:
        super().__init__(network, parameters, workers=workers)
        self.mode, self.depth = mode, depth

    def outputs(self) -> Array:
        return super().outputs() * (2 if self.mode == "double" else 1)


class Ranked(Good):
    """One of several ranks; ``WRONG_RANK`` computes something else."""

    def rank(self) -> int:
        return int(os.environ["RANK"])

    def outputs(self) -> Array:
        return super().outputs() * (2 if os.environ.get("WRONG_RANK") == os.environ["RANK"] else 1)
