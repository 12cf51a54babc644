"""Make one row from what the worker delivered and from how its process ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from harness.machine.launch import Launch
from harness.machine.process import Ended
from harness.machine.process.parent import signal_name
from harness.plan.cell import Cell
from harness.runner.row import FINE, Row, State

FIGURES = ("setup_seconds", "load_seconds", "first_epoch_seconds", "gflops", "final_loss", "accuracy")
LISTS = ("epoch_seconds", "history", "warnings")
FIELDS = frozenset({"state", "reason", "receipt", *FIGURES, *LISTS})
"""The fields of a row that a worker may deliver; the runner fills in all others."""

FATAL = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)


def merged(cell: Cell, turn: int, machine: str, started: float, ended: Ended, launch: Launch) -> Row:
    """Return the row of a cell whose process has ended; its reason says why a worker delivered no valid row."""
    fields = _delivered(ended, launch)
    bad = fields["state"] not in FINE
    process = {
        "seconds": ended.seconds,
        "cpu_seconds": ended.cpu_seconds,
        "peak_bytes": ended.peak_bytes,
        "exit_code": ended.exit_code,
        "signal": ended.signal,
        "launcher": list(launch.words),
        "cpus": None if launch.cpus is None else sorted(launch.cpus),
    }
    return Row(
        cell=cell,
        round=turn,
        machine=machine,
        started=started,
        peak_bytes=_peak_bytes(fields, ended, launched=bool(launch.words)),
        stderr=(ended.stderr or ended.stdout) if bad else "",
        **{**fields, "receipt": {**fields.get("receipt", {}), "process": process}},
    )


def _peak_bytes(fields: Mapping[str, Any], ended: Ended, *, launched: bool) -> int | None:
    """Return the memory that training needed; if that is unknown or only one rank's, the most that all processes held.

    The whole process is no good measure: the reference of a large batch takes more memory than most backends, and only
    in a worker that finds none in the cache.
    """
    steady = fields.get("receipt", {}).get("steady") or {}
    trained = None if launched or not isinstance(steady, Mapping) else steady.get("resident_peak_bytes")
    return trained if isinstance(trained, int) else ended.peak_bytes


def _delivered(ended: Ended, launch: Launch) -> dict[str, Any]:
    """Return the fields that the worker delivered, or a state and a reason if it delivered no valid ones."""
    if ended.message is None:
        state, reason = _without_row(ended, launched=bool(launch.words))
        return {"state": state, "reason": reason, "warnings": ended.warnings}
    fault = _fault(ended.message)
    if fault:
        return {"state": "error", "reason": f"the worker delivered no valid row: {fault}", "warnings": ended.warnings}
    fields = {**ended.message, **{name: tuple(ended.message.get(name, ())) for name in LISTS}}
    return {**fields, "warnings": (*fields["warnings"], *ended.warnings, *_late(ended, fields["state"]))}


def _late(ended: Ended, state: str) -> tuple[str, ...]:
    """Return a warning about what went wrong after the row was delivered; the row still counts."""
    if ended.state != "ended":
        return (f"{ended.state} after its row was delivered: {ended.reason}",)
    if state in FINE and ended.exit_code:
        return (f"ended with exit code {ended.exit_code} after its row was delivered",)
    return ()


def _without_row(ended: Ended, *, launched: bool) -> tuple[State, str]:
    if ended.state == "interrupted":
        return "interrupted", ended.reason or "interrupted by the user"
    if ended.state != "ended":
        return ended.state, ended.reason
    if ended.exit_code is None:
        return "error", f"the worker delivered no row: {ended.reason}"
    if ended.exit_code > 128:  # a shell and most launchers report a signal in this way
        return "crashed", f"a rank was ended by {signal_name(ended.exit_code - 128)}, exit code {ended.exit_code}"
    fatal = FATAL.search(ended.stderr) if launched else None
    if fatal:  # printed by a rank that a signal ends; launchers report it in different ways
        return "crashed", f"a rank ended with {fatal[1]}, its launcher with exit code {ended.exit_code}"
    last = f": {ended.stderr.splitlines()[-1]}" if ended.stderr and ended.exit_code else ""
    return "error", ended.reason or f"the worker ended with exit code {ended.exit_code} and delivered no row{last:.300}"


def _fault(message: Mapping[str, Any]) -> str:
    """Return what is wrong with the fields that the worker delivered, or an empty string."""
    unknown = sorted(set(message) - FIELDS)
    if unknown:
        return f"unknown field {unknown[0]!r}"
    if message.get("state") not in get_args(State):
        return f"state {message.get('state')!r}"
    wrong = [name for name, fits in FORMS.items() if name in message and not fits(message[name])]
    return f"{wrong[0]}={message[wrong[0]]!r:.80}" if wrong else ""


def _number(value: object) -> bool:
    return isinstance(value, int | float)


def _list_of(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


FORMS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(FIGURES, lambda value: value is None or _number(value)),
    "reason": lambda value: isinstance(value, str),
    "receipt": lambda value: isinstance(value, dict),
    "epoch_seconds": _list_of(_number),
    "history": _list_of(lambda value: isinstance(value, dict)),
    "warnings": _list_of(lambda value: isinstance(value, str)),
}
"""For each field, whether a value has the right form."""
