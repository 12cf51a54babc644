"""``python -m harness.worker``: receive one cell, measure it, deliver the fields of its row."""

from __future__ import annotations

import os
import sys

from harness.machine.process import child


def main() -> None:
    """Measure the cell that this process was started for; only rank 0 delivers, unless another rank fails."""
    request = child.receive()
    from harness.worker.measuring import leave_abruptly, measure  # noqa: PLC0415  the channel is taken first

    fields = measure(request)
    if fields is None:
        return
    child.deliver(fields)
    if leave_abruptly(request, fields):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
