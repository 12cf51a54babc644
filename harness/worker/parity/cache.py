"""The reference's weights on disk, shared by all backends and all runs of one user.

A file is named after everything that its content follows from, is written whole or not at all, and is never trusted:
one that cannot be read, or does not fit, is computed again. Two workers may write the same one at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness.contract.folders import cache_folder, whole_file
from harness.contract.registry import activation
from harness.contract.tolerance import Trained
from harness.worker.parity.truth import compute, flat, precision
from harness.worker.problem import Problem

SIDES = ("weights", "allowed")

HOME = Path(__file__).parents[2]

CODE = tuple(f"contract/{name}" for name in ("reference.py", "losses.py", "batching.py", "tolerance/*.py"))
"""What a cached file follows from besides the problem: the text of these modules of the harness."""

LIMIT = 1 << 30
"""Bytes that the folder may hold; the files longest unused go first."""


def folder() -> Path:
    """Return the folder of cached references."""
    return cache_folder() / "reference"


def fetch(problem: Problem, count: int = 1) -> tuple[Trained, str]:
    """Return the truth after ``count`` epochs, from the disk where it is there, and a warning where that fails."""
    path = folder() / f"{key(problem, count)}.npz"
    found = _read(path, problem)
    if found is not None:
        return found, ""
    found = compute(problem, count)
    try:
        _write(path, found)
    except OSError as error:
        return found, f"the cache of references cannot be written, so every cell computes its own: {error}"
    return found, ""


def key(problem: Problem, count: int = 1) -> str:
    """Return a digest of all that the truth follows from: the problem, and the code that defines it."""
    cell = problem.cell
    settings = {
        "network": asdict(cell.network),
        "rows": problem.rows,
        "epochs": count,
        "batch": cell.batch,
        "rate": cell.rate,
        "seed": cell.seed,
        "init": cell.init,
        "shuffle": cell.shuffle,
        "data": problem.digest,
        "precision": precision(cell),
        "code": _code(),
        "activations": [_probe(layer.activation) for layer in cell.network.layers],
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:40]


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for pattern in CODE:
        for path in sorted(HOME.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _probe(name: str) -> list[str]:
    """An activation comes from a plugin, whose next version may compute something else under the same name."""
    points, kind = np.linspace(-3.0, 3.0, 13), activation(name)
    values = kind.value(np, points)
    return [array.tobytes().hex() for array in (values, kind.slope(np, points, values))]


def _read(path: Path, problem: Problem) -> Trained | None:
    """Return what the file holds, or ``None`` where it is absent, damaged or does not fit the network."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            sides = [[stored[f"{side}{index}"] for index in range(2 * len(problem.start))] for side in SIDES]
        os.utime(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    shapes = [array.shape for array in flat(problem.start)]
    if any(
        [array.shape for array in side] != shapes or {array.dtype.str for array in side} != {"<f8"} for side in sides
    ):
        return None
    return Trained(*(list(zip(side[::2], side[1::2], strict=True)) for side in sides))


def _write(path: Path, content: Trained) -> None:
    arrays: dict[str, Any] = {
        f"{side}{index}": array.astype("<f8", copy=False)
        for side, parameters in zip(SIDES, content, strict=True)
        for index, array in enumerate(flat(parameters))
    }
    with whole_file(path) as file:
        np.savez(file, **arrays)
    _prune(path.parent)


def _prune(where: Path) -> None:
    """Remove the files longest unused until the rest fits; another worker may do the same at the same time."""
    found = []
    for path in where.glob("*.npz"):
        try:
            status = path.stat()
        except FileNotFoundError:  # another worker was quicker
            continue
        found.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= LIMIT:
            return
        path.unlink(missing_ok=True)
        total -= size
