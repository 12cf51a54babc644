"""The reference's weights on disk, shared by all backends and all runs of one user.

A file is named after everything that its content follows from, is written whole or not at all, and is never trusted:
one that cannot be read, or does not fit, is computed again. Two workers may write the same one at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from harness import batching, losses, reference
from harness.arrays import Parameters
from harness.registry import activation
from harness.worker.parity import truth
from harness.worker.parity.truth import Truth, compute, flat
from harness.worker.problem import Problem

LIMIT = 1 << 30
"""Bytes that the folder may hold; the files longest unused go first."""


def folder() -> Path:
    """Return the folder of cached references, by the XDG rule."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path.home() / ".cache"  # noqa: PTH117  XDG: relative is ignored
    return home / "backprop-harness" / "reference"


def fetch(problem: Problem) -> tuple[Truth, str]:
    """Return the truth, from the disk where it is there, and a warning where the cache cannot be written."""
    path = folder() / f"{key(problem)}.npz"
    found = _read(path, problem)
    if found is not None:
        return found, ""
    found = compute(problem)
    try:
        _write(path, found)
    except OSError as error:
        return found, f"the cache of references cannot be written, so every cell computes its own: {error}"
    return found, ""


def key(problem: Problem) -> str:
    """Return a digest of all that the truth follows from: the problem, and the code that defines it."""
    cell = problem.cell
    settings = {
        "network": asdict(cell.network),
        "rows": problem.rows,
        "batch": cell.batch,
        "rate": cell.rate,
        "seed": cell.seed,
        "init": cell.init,
        "shuffle": cell.shuffle,
        "data": problem.digest,
        "code": [_code(module.__file__) for module in (reference, losses, batching, truth)],
        "activations": [_probe(layer.activation) for layer in cell.network.layers],
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:40]


def _code(path: str | None) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""


def _probe(name: str) -> list[str]:
    """An activation comes from a plugin, whose next version may compute something else under the same name."""
    points, kind = np.linspace(-3.0, 3.0, 13), activation(name)
    values = kind.value(np, points)
    return [array.tobytes().hex() for array in (values, kind.slope(np, points, values))]


def _read(path: Path, problem: Problem) -> Truth | None:
    """Return what the file holds, or ``None`` where it is absent, damaged or does not fit the network."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = [stored[f"a{index}"] for index in range(2 * len(problem.start))]
            distances = tuple(stored["distances"].tolist())
        os.utime(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    shapes = [array.shape for array in flat(problem.start)]
    fits = [array.shape for array in arrays] == shapes and all(array.dtype == np.float64 for array in arrays)
    if not fits or len(distances) != len(shapes):
        return None
    weights: Parameters = list(zip(arrays[::2], arrays[1::2], strict=True))
    return Truth(weights, distances)


def _write(path: Path, content: Truth) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"a{index}": array for index, array in enumerate(flat(content.weights))}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, distances=np.array(content.distances), **arrays)  # type: ignore[arg-type]  # numpy/numpy#24397
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
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
