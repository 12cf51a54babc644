"""Processes known by a mark in their environment: what is still alive of all that a test has started."""

from __future__ import annotations

import os
import signal
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Marked:
    """A mark that children inherit, and a folder for all temporary files."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def variables(self) -> dict[str, str]:
        """Give these to what is started."""
        return {"TMPDIR": str(self.folder), "TEST_MARK": self.mark}

    def alive(self) -> list[int]:
        """Return the marked processes that still run; the dead that nobody has waited for do not count."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._lives(entry)]

    def _lives(self, entry: Path) -> bool:
        try:
            marked = f"TEST_MARK={self.mark}".encode() in (entry / "environ").read_bytes().split(b"\0")
            return marked and (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def folders(self) -> list[str]:
        """Return the private folders of children that are left."""
        return sorted(path.name for path in self.folder.glob("harness-*"))

    def rest(self) -> tuple[list[int], list[str]]:
        """Return living processes and private folders."""
        return self.alive(), self.folders()

    def quiet_within(self, seconds: float) -> bool:
        """Wait until nothing is left, at most so long."""
        until = time.monotonic() + seconds
        while self.rest() != ([], []):
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def kill(self) -> None:
        """End what a failed test has left."""
        for pid in self.alive():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
