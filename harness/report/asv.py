"""Rows as results of asv, written by its own classes, so that its site can show them.

What is already in the folder stays: results of the asv suite itself, and of other commits and machines.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.errors import Unavailable
from harness.report.asv_commits import Spot, inside, spots
from harness.report.asv_tracks import NAMES, Track, tracks
from harness.runner.row import Row
from harness.store import Stored

VERSION = "1"
"""The version of what the figures mean: asv compares only figures with equal versions."""
HARDWARE = {"os": "system", "arch": "architecture", "cpu": "cpu", "num_cpu": "cpus", "ram": "memory_gib"}
"""The names in asv, with the names of the same facts in the receipt."""


@dataclass(frozen=True)
class Written:
    """The result of an export."""

    rows: int
    files: int
    nowhere: int
    """How many rows were not measured by an unchanged commit."""
    unknown: tuple[str, ...]
    """Commits that measured rows but are not in the checkout of the current folder."""


def write(stored: Iterable[Stored], folder: Path) -> Written:
    """Write a results file for every commit, machine and Python among the rows, and the descriptions that asv needs."""
    writer = _Writer(_asv(), folder)
    placed, nowhere = spots(stored)
    asked = {commit: _date(commit) for commit in {spot.commit for spot in placed}}
    dates = {commit: date for commit, date in asked.items() if date is not None}
    dated = {spot: rows for spot, rows in sorted(placed.items()) if spot.commit in dates}
    described: dict[str, dict[str, Any]] = {}
    for spot, rows in dated.items():
        made = tracks(rows)
        for track in made:
            described[track.name] = _merged(described.get(track.name, {}), _description(track))
        writer.save(spot, dates[spot.commit], made, rows)
    writer.describe(described)
    return Written(sum(map(len, dated.values())), len(dated), nowhere, tuple(sorted(asked.keys() - dates)))


def _asv() -> Any:
    try:
        from asv import machine, results, runner, util  # noqa: PLC0415  optional
        from asv.benchmarks import Benchmarks  # noqa: PLC0415  as above
    except ImportError:
        raise Unavailable("export --format asv needs asv; install with: pip install asv") from None
    return SimpleNamespace(machine=machine, results=results, runner=runner, util=util, benchmarks=Benchmarks)


def _date(commit: str) -> int | None:
    """Return the time of a commit in milliseconds, as asv wants it; ``None`` if the checkout here does not have it."""
    words = ["git", "log", "-1", "--format=%at", commit, "--"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return 1000 * int(done.stdout) if done.returncode == 0 else None


@dataclass(frozen=True)
class _Writer:
    """The classes of asv, and the folder that they write to."""

    asv: Any
    folder: Path

    def save(self, spot: Spot, date: int, made: Sequence[Track], rows: Sequence[Row]) -> None:
        """Write one file; it replaces what an earlier export has written for the same spot."""
        params = {**self._machine(spot, rows), "python": spot.python}
        named = f"harness-py{spot.python}"
        results = self.asv.results.Results(params, {}, spot.commit, date, spot.python, named, {})
        started = datetime.fromtimestamp(min(row.started for row in rows), UTC)
        for track in made:
            result = _result(self.asv, track)
            results.add_result(_description(track), result, started_at=started, record_samples=True)
        results.save(str(self.folder))

    def _machine(self, spot: Spot, rows: Sequence[Row]) -> dict[str, str]:
        """Return what asv knows of the machine; if it knows nothing yet, save what the receipts say."""
        kind = self.asv.machine.Machine
        path = self.folder / spot.machine / "machine.json"
        if path.exists():
            known: dict[str, str] = self.asv.util.load_json(str(path), kind.api_version)
            return known
        hardware = next((inside(row.receipt, "hardware") for row in rows if inside(row.receipt, "hardware")), {})
        told = {ours: str(hardware.get(theirs, "")) for ours, theirs in HARDWARE.items()}
        machine = kind()
        machine.__dict__.update(told, machine=spot.machine)
        machine.save(str(self.folder))
        return {**told, "machine": spot.machine}

    def describe(self, described: Mapping[str, dict[str, Any]]) -> None:
        """Add the descriptions to those that are already in the folder."""
        kind = self.asv.benchmarks
        path = Path(kind.get_benchmark_file_path(str(self.folder)))
        known = self.asv.util.load_json(str(path), api_version=kind.api_version) if path.exists() else {}
        merged = {name: _merged(known.get(name, {}), description) for name, description in described.items()}
        if merged:
            conf = SimpleNamespace(results_dir=str(self.folder), benchmark_dir="")
            kind(conf, {**known, **merged}.values()).save()


def _result(asv: Any, track: Track) -> Any:
    """Return a result of asv's own class; asv computes the median of the samples."""
    return asv.runner.BenchmarkResult(
        result=[None if samples is None else True if samples else math.nan for samples in track.results],
        samples=[list(samples) if samples else None for samples in track.results],
        number=[1 if samples else None for samples in track.results],
        errcode=0,
        stderr="",
        profile=None,
    )


def _description(track: Track) -> dict[str, Any]:
    return {
        "name": track.name,
        "code": f"rows of a study: {track.figure.name}",
        "param_names": list(NAMES),
        "params": [list(values) for values in track.params],
        "type": track.figure.kind,
        "unit": track.figure.unit,
        "version": VERSION,
        "timeout": 0,
    }


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the new description with the parameters of both, so that asv still finds what was written before."""
    pairs = zip(old.get("params") or [[]] * len(NAMES), new["params"], strict=True)
    return {**new, "params": [list(dict.fromkeys([*before, *now])) for before, now in pairs]}
