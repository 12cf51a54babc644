"""Whether two sides can be compared at all, and in what their cells need not agree."""

from __future__ import annotations

from harness.errors import RequestError
from harness.report.compare.sides import Side


def check_comparable(a: Side, b: Side, *, across_machines: bool) -> frozenset[str]:
    """Return the axes that need not agree; refuse sides that have no machine in common, or nothing else."""
    if (a.kind == "backend") != (b.kind == "backend"):
        raise RequestError(f"{a.word!r} is a {a.kind} and {b.word!r} a {b.kind}: compare two of one kind")
    for side in (a, b):
        if not side.rows:
            raise RequestError(f"{side.word}: no rows to compare")
    ignored = {"backend", "options"} if a.kind == "backend" else set()
    ignored |= a.pinned | b.pinned
    if not a.machines & b.machines and not across_machines:
        here, there = (", ".join(sorted(side.machines)) for side in (a, b))
        raise RequestError(
            f"{a.word} was measured on {here}, {b.word} on {there}: times of different machines say nothing about "
            "code; measure both on one, or compare the machines themselves with --across-machines"
        )
    if across_machines and a.machines != b.machines:
        ignored.add("machine")
        for side in (a, b):
            if len(side.machines) > 1:
                raise RequestError(
                    f"{side.word} has several machines, so --across-machines cannot tell which is meant: "
                    f"{', '.join(sorted(side.machines))}; use a store with one"
                )
    return frozenset(ignored)
