"""Turn the guardian's report into ``Ended``."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

from harness.machine.process.start import Ended, State

LINES, CHARACTERS = 60, 8000
STATES: dict[str, State] = {
    "ended": "ended",
    "lingering": "ended",
    "unstarted": "ended",
    "timeout": "timeout",
    "out-of-memory": "out-of-memory",
    "crashed": "crashed",
    "interrupted": "interrupted",
    "orphaned": "interrupted",
}
POLITE = ("SIGINT", "SIGTERM", "SIGHUP")
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def ended(report: dict[str, Any], result: dict[str, Any] | None, *, asked: bool = False) -> Ended:
    """Return how a child ended, from the guardian's report and the child's last result.

    ``asked`` says that it was to stop: whoever ends a whole job may have signalled the child as well.
    """
    state, reason = STATES[report["ended"]], report["reason"]
    exit_code, name = _status(report)
    if report["ended"] == "ended" and name is not None:
        state, reason = ("interrupted", "") if asked and name in POLITE else _by_signal(name, report)
    return Ended(
        state=state,
        reason=reason,
        exit_code=exit_code,
        signal=name if state == "crashed" else None,
        message=result,
        stderr=last_lines(report.get("stderr", "")),
        stdout=last_lines(report.get("stdout", "")),
        seconds=report.get("seconds", 0.0),
        peak_bytes=report.get("peak_bytes"),
        cpu_seconds=report.get("cpu_seconds", 0.0),
        warnings=_warnings(report),
    )


def _by_signal(name: str, report: dict[str, Any]) -> tuple[State, str]:
    """Tell the kernel's end of a process that takes too much memory from any other signal."""
    if name == "SIGKILL" and report["kernel_kills"]:
        return "out-of-memory", "ended by the kernel, because the machine's memory ran out"
    return "crashed", f"ended by {name}"


def _status(report: dict[str, Any]) -> tuple[int | None, str | None]:
    """Return the exit code, or the name of the signal, that ended the child."""
    if report["ended"] == "unstarted":
        return 127, None
    status = report.get("status")
    if status is None:
        return None, None
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, signal_name(-code))


def signal_name(number: int) -> str:
    """Return a signal's name, such as ``SIGSEGV``; real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _warnings(report: dict[str, Any]) -> tuple[str, ...]:
    found = []
    if report["ended"] == "lingering":
        found.append(f"{report['reason']} and was ended")
    if report["ended"] == "ended" and report["left"]:
        found.append(f"left {report['left']} processes behind, which were ended")
    if report["ended"] == "ended" and report["shared"]:
        found.append(f"left shared memory behind, which was removed: {', '.join(report['shared'])}")
    if not report.get("supervised", True):
        found.append("this system shows no process tree: memory was not limited, and strays may be left")
    if not report.get("clean", True):
        found.append("processes that cannot be ended are left: look for them with ps")
    return tuple(found)


def last_lines(text: str) -> str:
    """Return the last lines, without terminal escapes and other control characters."""
    plain = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return "\n".join(plain.splitlines()[-LINES:])[-CHARACTERS:]
