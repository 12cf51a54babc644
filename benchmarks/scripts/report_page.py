"""How long the report of a large store takes and how large it is: 500 rows, eight backends, two machines.

    python benchmarks/scripts/report_page.py

Times whole commands, start of the interpreter included, and prints the best and the median of five.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.report import made

TIMES = 5


def main() -> None:
    """Make the store, then the page of it several times."""
    with tempfile.TemporaryDirectory() as folder:
        store, page = made.store(Path(folder) / "results.db"), Path(folder) / "report.html"
        words = [sys.executable, "-m", "harness", "report", "--store", str(store), "-o", str(page)]
        taken = [_seconds(words) for _ in range(TIMES)]
        print(f"{len(made.rows())} rows: best {min(taken):.2f} s, median {statistics.median(taken):.2f} s")
        print(f"{page.stat().st_size / 1e6:.2f} MB")


def _seconds(words: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
