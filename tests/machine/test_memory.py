"""The memory that training needed, as the receipt sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MIB = 1 << 20
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")

GONE = f"""
from harness.machine.facts.span import resident_peak
before = resident_peak()
held = b"1" * {64 * MIB}
del held
print(resident_peak() - before)
"""

SHARED = f"""
import mmap, os, signal
from harness.machine.facts.span import resident_peak
memory = mmap.mmap(-1, {64 * MIB})
memory.write(b"1" * {64 * MIB})
alone = resident_peak()
said, say = os.pipe()
child = os.fork()
if child == 0:
    os.write(say, memory[:1] if memory.find(b"2") < 0 else b"")
    signal.pause()
os.read(said, 1)
print(resident_peak() - alone)
os.kill(child, signal.SIGKILL)
"""


def _mib_gained(program: str) -> float:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=True)
    return int(done.stdout) / MIB


def test_memory_that_has_gone_counts_as_the_most_that_was_held() -> None:
    assert 60 < _mib_gained(GONE) < 80


def test_memory_that_processes_share_counts_once() -> None:
    assert 0 < _mib_gained(SHARED) < 32
