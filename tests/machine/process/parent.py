"""A parent that runs one deed and is ended meanwhile: ``python -m tests.machine.process.parent DEED``."""

from __future__ import annotations

import os
import signal
import sys

from harness.machine.process import Limits, Start, run


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background passes it on as ignored
    start = Start(
        module="tests.machine.process.deeds",
        request={"deed": sys.argv[1]},
        environment=dict(os.environ),
        limits=Limits(60.0),
    )
    print(run(start).state)


if __name__ == "__main__":
    main()
