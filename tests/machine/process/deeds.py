"""A child that does what its request asks: ``python -m tests.machine.process.deeds``. A line of the docs each."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.machine.process.child import deliver, receive

RESULT = {"deed": "done"}
FAKE = json.dumps({"token": "", "message": {"state": "ok"}})


def news() -> None:
    for number in range(3):
        deliver({"type": "count", "number": number})
    deliver({"first": True})
    deliver({"last": True})


def segfault() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def stack_overflow_in_c() -> None:
    """Without Python's own limit the C stack runs over: ``repr`` recurses there."""
    sys.setrecursionlimit(10**9)
    nested: list[Any] = []
    for _ in range(10**6):
        nested = [nested]
    repr(nested)


def hang_in_c() -> None:
    """``PyDLL`` keeps the interpreter's lock: no other Python thread, and no handler, ever runs again."""
    ctypes.PyDLL(None).sleep(1000)


def ignore_terminate() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    deliver({"type": "ready"})
    sleep()


def stop_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def fork_ten() -> None:
    """Ten grandchildren with sessions of their own, which ignore what they can and sleep."""
    for _ in range(10):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                ignore_terminate()
            os._exit(0)
    deliver(RESULT)


def fork_ten_and_hang() -> None:
    fork_ten_quietly()
    sleep()


def fork_ten_quietly() -> None:
    for _ in range(10):
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            sleep()


def fork_for_ever() -> None:
    """A chain: every link starts the next and is gone at once."""
    while True:
        if os.fork():
            os._exit(0)


def close_all_files() -> None:
    os.closerange(0, 1000)
    deliver(RESULT)


def exit_at_once() -> None:
    os._exit(0)


def exit_politely() -> None:
    sys.exit(0)


def raise_base_exception() -> None:
    class Strange(BaseException):
        pass

    raise Strange("from the depths")


def recurse() -> None:
    recurse()


def leave_a_thread() -> None:
    threading.Thread(target=sleep).start()
    deliver(RESULT)


def change_directory() -> None:
    os.chdir("/")
    deliver(RESULT)


def print_much() -> None:
    print_lines()
    deliver(RESULT)


def print_lines() -> None:
    line = "x" * 99
    for _ in range(100_000):
        print(line)
        print(line, file=sys.stderr)
    print("the last line", file=sys.stderr)


def eat_memory() -> None:
    held = []
    while True:
        held.append(b"x" * (10 << 20))
        time.sleep(0.002)


def eat_memory_together() -> None:
    """Four processes with 100 MiB each: none is over the limit alone."""
    for _ in range(4):
        if os.fork() == 0:
            held = b"x" * (100 << 20)
            sleep()
            del held
    sleep()


def share_memory() -> None:
    """Five processes look at the same 150 MiB for a second: less than the limit, if counted once."""
    shared = mmap.mmap(-1, 150 << 20)
    for _ in range(150):
        shared.write(b"x" * (1 << 20))  # in pieces: the whole in one would itself be 150 MiB for a moment
    for _ in range(4):
        if os.fork() == 0:
            sum(shared[at] for at in range(0, len(shared), mmap.PAGESIZE))
            time.sleep(0.8)
            os._exit(0)
    for _ in range(4):
        os.wait()
    deliver(RESULT)


def leave_shared_memory() -> None:
    """As MPI does when it is killed; the name comes with the news, so that the test can look for it."""
    name = f"left-{os.getpid()}"
    with Path("/dev/shm", name).open("w+b") as file:
        file.truncate(mmap.PAGESIZE)
        kept = mmap.mmap(file.fileno(), mmap.PAGESIZE)
    deliver({"type": "name", "name": name})
    sleep()
    kept.close()


def leave_a_file_in_shared_memory() -> None:
    """Nobody maps it: for all that the guardian can see it is another's."""
    name = f"kept-{os.getpid()}"
    Path("/dev/shm", name).write_text("")
    deliver({"type": "name", "name": name})
    sleep()


def terminate_the_guardian() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(os.getppid(), number)
    deliver(RESULT)


def terminate_itself() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    deliver({"type": "ready"})
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGTERM)


def fake_messages() -> None:
    for stream in (sys.stdout, sys.stderr):
        print(FAKE, file=stream)
        print(json.dumps({"ended": "ended", "status": 0}), file=stream)


def forge_messages() -> None:
    """Even one who finds the folder needs the token."""
    variables = Path("/proc/self/environ").read_bytes().split(b"\0")
    folder = next(v for v in variables if v.startswith(b"HARNESS_CHANNEL=")).decode().partition(":")[2]
    for number, text in enumerate((FAKE, "no JSON", "[]", "[" * 100_000)):
        Path(folder, f"result-{number:020d}-1.json").write_text(text)
    os.mkfifo(Path(folder, "result-5-1.json"))
    Path(folder, "result-6-1.json").symlink_to("/dev/zero")


def show_environment() -> None:
    deliver({"variables": dict(os.environ), "cpus": sorted(os.sched_getaffinity(0))})


def kill_the_guardian() -> None:
    fork_ten_quietly()
    os.kill(os.getppid(), signal.SIGKILL)
    sleep()


def hold_the_guardian() -> None:
    os.kill(os.getppid(), signal.SIGSTOP)
    fork_ten_quietly()
    sleep()


def sleep() -> None:
    while True:
        time.sleep(1000)


if __name__ == "__main__":
    wanted: Callable[[], None] = globals()[receive()["deed"]]
    wanted()
