"""Standard streams that the caller closed, and output that nobody reads: neither may end in a traceback."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


def ensure() -> None:
    """Open every closed standard stream as the null device.

    Otherwise the next file that is opened, perhaps a store, would get the number of a standard stream.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # it gets the lowest free number, which is this one
            os.set_inheritable(opened, True)  # noqa: FBT003  it takes no keyword
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115  it stays open until the end
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a letter must not end a command
        sys.stdout.reconfigure(errors="backslashreplace")


def forget(stream: TextIO) -> None:
    """Let what ``stream`` still has to print go nowhere, so that the interpreter does not fail on it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
