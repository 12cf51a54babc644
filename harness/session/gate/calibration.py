"""``Calibration``: how far the gate of this machine can be trusted, and the file in which that is kept."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import platformdirs

from harness.errors import RequestError

SCHEMA_VERSION = 1
APPLICATION = "backprop-harness"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Counts from real runs of a backend against itself and against its slowed copy, and the conclusions."""

    machine: str
    backend: str
    study: str
    cells: int
    rounds: int
    """Pairs in each run."""
    runs: int
    alarms: int
    """How many runs of equals, each a whole study, called any change."""
    percent: int
    """By how many percent the copy was slowed."""
    found: int
    """How many runs called every cell of the slowed copy slower."""
    alarm_rate: float
    """The share of runs of equals that call a change, from 1000 runs drawn from the real pairs."""
    smallest: float | None
    """The smallest change of one cell that 9 of 10 drawn runs show; ``None`` if they do not even show a doubling."""
    measured: float = field(default_factory=time.time)
    """Seconds since 1970."""

    def __str__(self) -> str:
        """Return the calibration in words."""
        sees = "not even a doubling" if self.smallest is None else f"{100 * self.smallest:.0f}%"
        return (
            f"gate of {self.machine}, calibrated with {self.backend} on {self.cells} cells of {self.study}, "
            f"{self.rounds} rounds a run: false alarms in {self.alarms} of {self.runs} runs "
            f"({100 * self.alarm_rate:.1f}% of runs drawn from them); a copy slowed by {self.percent}% found in "
            f"{self.found} of {self.runs}; smallest change it would see: {sees}"
        )

    def save(self) -> Path:
        """Keep it as the calibration of this machine; return the path of its file."""
        path = place(self.machine)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps({"schema_version": SCHEMA_VERSION, **asdict(self)}, indent=1) + "\n")
        draft.replace(path)
        return path

    @classmethod
    def load(cls, machine: str) -> Calibration:
        """Return the calibration of a machine; refuse the request if it is absent or damaged."""
        path, step = place(machine), "run: harness gate --calibrate"
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            raise RequestError(f"the gate of {machine} was never calibrated; {step}") from None
        except (OSError, ValueError) as error:
            raise RequestError(f"{path}: {error}; {step}") from error
        names = {field.name for field in fields(cls)}
        if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION or not names <= data.keys():
            raise RequestError(f"{path}: not the calibration of this harness; {step}")
        return cls(**{name: data[name] for name in names})


def place(machine: str) -> Path:
    """Return the path of the file with the calibration of a machine."""
    return platformdirs.user_state_path(APPLICATION, appauthor=False) / "gate" / f"{machine}.json"
