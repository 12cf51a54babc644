"""Do 1, 2 and 3 workers end in the same weights? Each process writes them down; here they are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from harness.conformance.configuration import Configuration
from harness.conformance.verdict import Result

CHECK = "every_number_of_workers_ends_in_the_same_weights"
NAME = "numbers_of_workers_agree"


class _Checked(Protocol):
    """What a session has when it is over."""

    name: str
    level: Any
    configuration: Configuration
    properties: dict[str, dict[str, Any]]


def results(sessions: Sequence[_Checked]) -> list[Result]:
    """Return one result for every number of workers beyond the first, where both wrote down their weights."""
    found = []
    for first, other in _pairs(sessions):
        text = _difference(first.properties[CHECK], other.properties[CHECK], first.configuration.workers)
        repeat = f"harness check {other.name} --workers {first.configuration.workers} {other.configuration.workers}"
        repeat += f" --level {other.level} -k {CHECK}"
        outcome = "failed" if text else "passed"
        found.append(Result(NAME, "numbers", str(other.configuration), outcome, text, repeat))  # type: ignore[arg-type]  # a Literal
    return found


def _pairs(sessions: Sequence[_Checked]) -> Iterator[tuple[_Checked, _Checked]]:
    first: dict[object, _Checked] = {}
    for session in sessions:
        if not session.properties.get(CHECK):
            continue
        earlier = first.setdefault(session.configuration.options, session)
        if earlier is not session:
            yield earlier, session


def _difference(one: dict[str, Any], other: dict[str, Any], workers: int) -> str:
    """Return the worst difference beyond what either may be from the reference, or nothing."""
    worst, text = 1.0, ""
    for array, (mine, theirs, allowed) in enumerate(zip(one["weights"], other["weights"], one["allowed"], strict=True)):
        for index, (a, b, free) in enumerate(zip(mine, theirs, allowed, strict=True)):
            excess = abs(a - b) / free
            if not excess <= worst:
                part = "bias" if array % 2 else "weights"
                text = f"{part} of layer {array // 2}, element {index}, is {b:.9g}, with {workers} workers {a:.9g}: "
                text += f"differs by {abs(a - b):.3g}, allowed {free:.3g}"
                worst = excess
    return text
