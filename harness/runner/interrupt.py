"""Ctrl-C: once, the running cell is ended and its row is still yielded; twice, everything ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """Let the first of the two signals set ``stop`` and the next raise ``KeyboardInterrupt``, until the block ends.

    In between, whoever takes the rows may commit one in peace. Outside the main thread Python can set no handlers;
    there ``stop`` is the caller's to set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature of a handler
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, asked) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
