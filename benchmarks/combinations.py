"""What the suite trains: backends, networks, batch sizes, workers, and how many rows an epoch has.

Every list is written out. asv addresses a value by its place in the list, so a list that is read from what happens to
be installed would give one backend's figures to another at a commit that lacks some. Append; never remove or reorder.
"""

from __future__ import annotations

BACKENDS = [
    "python",
    "linalg",
    "neurons",
    "threads",
    "example",
    "blas",
    "shm",
    "fused",
    "torch",
    "torch-ddp",
    "keras",
    "jax",
    "cuda",
    "mpi",
    "mpi-ensemble",
]
"""Every backend that this project has or had. One that a commit lacks is n/a there."""
NETS = ["64-32-10", "784-1024-10"]
BATCHES = [1, 16, 128]
WORKERS = [1, 2]

CALLS = {
    ("64-32-10", 1): 512,
    ("64-32-10", 16): 4096,
    ("64-32-10", 128): 16384,
    ("784-1024-10", 1): 64,
    ("784-1024-10", 16): 512,
    ("784-1024-10", 128): 2048,
}
"""Rows for those that call a library for every batch."""
COMPILED = {
    ("64-32-10", 1): 8192,
    ("64-32-10", 16): 32768,
    ("64-32-10", 128): 65536,
    ("784-1024-10", 1): 512,
    ("784-1024-10", 16): 512,
    ("784-1024-10", 128): 2048,
}
"""Rows for those whose whole epoch is one compiled program."""
LOOPS = {(net, batch): {"64-32-10": 4096, "784-1024-10": 128}[net] for net in NETS for batch in BATCHES}
"""Rows for those that take one example after the other, so that the batch size hardly matters to them."""
PURE = {("64-32-10", batch): 128 for batch in BATCHES}
"""Rows for pure Python, which needs a third of a second for one example of the large network."""

ROWS = {
    **dict.fromkeys(BACKENDS, CALLS),
    **dict.fromkeys(("fused", "jax"), COMPILED),
    **dict.fromkeys(("linalg", "neurons", "example", "cuda"), LOOPS),
    "python": PURE,
}


def rows(backend: str, net: str, batch: int) -> int | None:
    """Return the rows of one epoch, mostly 5 to 200 ms of work, or ``None`` where even a few would take far longer.

    The number follows from the combination alone, never from a clock: every commit trains the same.
    """
    return ROWS[backend].get((net, batch))
