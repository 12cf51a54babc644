"""A launcher as ``mpiexec`` and ``torchrun`` are: ``ranks.py N command...``, each rank in a session of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> None:
    count, *command = sys.argv[1:]
    ranks = [
        subprocess.Popen(command, start_new_session=True, env={**os.environ, "RANK": str(rank)})
        for rank in range(int(count))
    ]
    sys.exit(max(abs(rank.wait()) for rank in ranks))


if __name__ == "__main__":
    main()
