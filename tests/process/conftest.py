from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.process import Ended, Limits, Start, run

ROOT = Path(__file__).parents[2]
MODULE = "tests.process.deeds"


@dataclass(frozen=True)
class Lab:
    """Runs deeds and sees what they leave behind: processes by a mark in their environment, files in a folder."""

    folder: Path
    mark: str

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder), "LAB": self.mark}

    def start(self, deed: str, *, seconds: float = 20.0, memory: int | None = None, **fields: Any) -> Start:
        limits = Limits(seconds, memory, linger=fields.pop("linger", 1.0))
        return Start(
            **{
                "module": MODULE,
                "request": {"deed": deed},
                "environment": self.environment,
                "limits": limits,
                **fields,
            }
        )

    def run(self, deed: str, **fields: Any) -> Ended:
        hearing = {name: fields.pop(name) for name in ("on_message", "stop") if name in fields}
        return run(self.start(deed, **fields), **hearing)

    def alive(self) -> list[int]:
        """Return the processes with our mark that still run; the dead that nobody has waited for do not count."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                marked = f"LAB={self.mark}".encode() in (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if marked and state not in "ZX":
                found.append(int(entry.name))
        return found

    def rest(self) -> tuple[list[int], list[str]]:
        """Return living processes and files that are left."""
        return self.alive(), sorted(path.name for path in self.folder.iterdir())

    def quiet_within(self, seconds: float) -> bool:
        """Wait until nothing is left, at most so long."""
        until = time.monotonic() + seconds
        while self.rest() != ([], []):
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Lab(tmp_path, uuid.uuid4().hex)
    yield made
    for pid in made.alive():
        os.kill(pid, 9)
