"""``run``: the parent's side of one child."""

from __future__ import annotations

import os
import threading

from harness.errors import RequestError
from harness.machine.process.ending import ended
from harness.machine.process.guard import Guard, OnMessage
from harness.machine.process.start import Ended, Start


def run(start: Start, *, on_message: OnMessage | None = None, stop: threading.Event | None = None) -> Ended:
    """Run one child to its end and return how it ended; when this returns, no descendant of it is alive.

    ``on_message`` gets every message with a ``"type"`` while the child runs. Setting ``stop`` ends the child as
    ``interrupted``. An exception on the way, ``KeyboardInterrupt`` among them, ends the child too.
    """
    if os.name != "posix":
        raise RequestError(f"cells need a POSIX system, not {os.name!r}: use Linux, macOS or WSL")
    try:
        guard = Guard(start)
    except OSError as error:
        return Ended(state="ended", exit_code=127, reason=f"cannot start a guardian: {error}")
    try:
        report = guard.report(on_message, stop)
        return ended(report, guard.result, asked=stop is not None and stop.is_set())
    finally:
        guard.close()
