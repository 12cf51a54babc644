"""``python -m harness.runner.elsewhere``: say how this interpreter would start the worker of a cell."""

from __future__ import annotations

from dataclasses import asdict

from harness.machine.process.child import deliver, receive
from harness.plan.cell import Cell
from harness.runner.starting import Refusal, launch_here


def main() -> None:
    """Receive ``{"cell": ...}``; deliver the environment, words and CPUs of its worker, or why none can start."""
    answer = launch_here(Cell.from_json(receive()["cell"]))
    if isinstance(answer, Refusal):
        deliver(asdict(answer))
        return
    cpus = None if answer.cpus is None else sorted(answer.cpus)
    deliver({"environment": answer.environment, "words": answer.words, "cpus": cpus})


if __name__ == "__main__":
    main()
