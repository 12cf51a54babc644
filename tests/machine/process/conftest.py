from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.machine.process import Ended, Limits, Start, run
from tests.fakes.marked import Marked

ROOT = Path(__file__).parents[3]
MODULE = "tests.machine.process.deeds"


@dataclass(frozen=True)
class Lab(Marked):
    """Runs deeds and sees what they leave behind."""

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.variables, "PYTHONPATH": str(ROOT)}

    def start(self, deed: str, *, seconds: float = 20.0, memory: int | None = None, **fields: Any) -> Start:
        limits = Limits(seconds, memory, linger=fields.pop("linger", 1.0))
        base = {"module": MODULE, "request": {"deed": deed}, "environment": self.environment, "limits": limits}
        return Start(**{**base, **fields})

    def run(self, deed: str, **fields: Any) -> Ended:
        hearing = {name: fields.pop(name) for name in ("on_message", "stop") if name in fields}
        return run(self.start(deed, **fields), **hearing)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Lab(tmp_path)
    yield made
    made.kill()
