"""Standard streams that the caller closed, and output that nobody takes: neither may end a command in a traceback."""

from __future__ import annotations

import io
import os
import sys


def ensure() -> None:
    """Point every closed standard stream to nowhere, or the next file opened, a store even, would take its number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this one
            os.set_inheritable(opened, True)  # noqa: FBT003  it takes no keyword
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115  for ever
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a letter must not end a command
        sys.stdout.reconfigure(errors="backslashreplace")


def forget() -> None:
    """Let what is still to be printed go nowhere, so that the interpreter does not fail on it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
