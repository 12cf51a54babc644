"""Sleep until a number in shared memory changes: with Linux's futex or, on other systems, by short sleeps."""

from __future__ import annotations

import ctypes
import platform
import sys
import time

NUMBERS = {"x86_64": 202, "aarch64": 98}
"""The system call by machine."""
WAIT, WAKE, EVERYBODY = 0, 1, 2**31 - 1
NAP = 0.0005
"""Seconds of one sleep on systems without futex."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_NUMBER = NUMBERS.get(platform.machine()) if sys.platform == "linux" and sys.byteorder == "little" else None
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


def wait(address: int, seen: int, seconds: float) -> None:
    """Sleep while the number at ``address`` is ``seen``, at most ``seconds``; may return early for no reason.

    The kernel compares the lower half of the number, which comes first in memory.
    """
    if _NUMBER is None:
        time.sleep(NAP)
        return
    limit = _Timespec(int(seconds), int(seconds % 1 * 1e9))
    low = ctypes.c_uint32(seen & 0xFFFFFFFF)
    _syscall(ctypes.c_long(_NUMBER), ctypes.c_void_p(address), ctypes.c_int(WAIT), low, ctypes.byref(limit))


def wake(address: int) -> None:
    """Wake everybody who sleeps on ``address``."""
    if _NUMBER is not None:
        _syscall(ctypes.c_long(_NUMBER), ctypes.c_void_p(address), ctypes.c_int(WAKE), ctypes.c_int(EVERYBODY))
