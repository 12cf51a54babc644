"""How far ``linalg`` is from the same loops in C: ``python benchmarks/scripts/linalg_c/compare.py``.

Builds ``loops.c`` with ``-O3 -march=native``, trains both for one epoch a round, in turn, checks that they end in
the same weights and prints the median times and their ratio. One thread, batch 1, sigmoid, mse, float32.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import harness

RATE = 0.1
Pointer = ctypes.POINTER(ctypes.c_float)
Array = harness.Array


def main() -> None:
    """Parse the command line, run and print one line a net."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", nargs="+", default=["784-1024-10", "784-1024-1024-10"])
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--compiler", default="cc")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = build(given.compiler, Path(folder))
        for net in given.nets:
            print(compare(library, [int(size) for size in net.split("-")], given.rows, given.rounds))


def build(compiler: str, folder: Path) -> ctypes.CDLL:
    """Compile the loops and load them."""
    source, target = Path(__file__).with_name("loops.c"), folder / "loops.so"
    words = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(target), str(source), "-lm"]
    subprocess.run(words, check=True)
    return ctypes.CDLL(str(target))


def compare(library: ctypes.CDLL, sizes: list[int], rows: int, rounds: int) -> str:
    """Time both in turn and return one line."""
    net = harness.Network.dense(sizes)
    start = harness.initial_parameters(net)
    generator = np.random.default_rng(0)
    x = generator.random((rows, sizes[0]), np.float32)
    y = np.eye(sizes[-1], dtype=np.float32)[generator.integers(0, sizes[-1], rows)]
    trained = [(w.copy(), b.copy()) for w, b in start]
    in_c = c_epoch(library, sizes, trained, x, y)
    with harness.get_backend("linalg")(net, start) as backend:
        backend.load(x, y)
        in_c()
        backend.train_epoch(1, RATE)
        worst = max(float(np.abs(w - v).max()) for (w, _), (v, _) in zip(trained, backend.parameters(), strict=True))
        times = [(timed(in_c), timed(lambda: backend.train_epoch(1, RATE))) for _ in range(rounds)]
    c, ours = (statistics.median(column) / rows * 1e6 for column in zip(*times, strict=True))
    shown = "-".join(map(str, sizes))
    times_shown = f"C {c:.1f} us, linalg {ours:.1f} us a sample, ratio {ours / c:.2f}"
    return f"{shown}: {times_shown}; largest difference after one epoch {worst:.1e}"


def c_epoch(
    library: ctypes.CDLL, sizes: list[int], trained: harness.Parameters, x: Array, y: Array
) -> Callable[[], None]:
    """Return a function that trains ``trained`` in place for one epoch; it keeps every array that C sees alive."""
    buffers = [[np.empty(size, np.float32) for size in sizes[1:]] for _ in range(2)]
    arrays = [[w for w, _ in trained], [b for _, b in trained], *buffers]
    tables = [(Pointer * len(column))(*(pointer(array) for array in column)) for column in arrays]
    shape = (ctypes.c_size_t * len(sizes))(*sizes)

    def epoch() -> None:
        data = (ctypes.c_size_t(len(x)), pointer(x), pointer(y), ctypes.c_float(RATE))
        library.train_epoch(ctypes.c_size_t(len(sizes) - 1), shape, *tables, *data)
        assert arrays

    return epoch


def pointer(array: Array) -> ctypes._Pointer[ctypes.c_float]:
    """Return the array's address for C."""
    return array.ctypes.data_as(Pointer)


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that one call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
