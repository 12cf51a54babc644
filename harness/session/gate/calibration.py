"""``Calibration``: how far the gate of this machine can be trusted, and the file in which that is kept.

It keeps every measured time of a cell and of its equal twin. From that noise follows what a gate finds: with as many
rounds, such a band and such a correction as the gate at hand has, and not with those of the calibration alone.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import platformdirs

from harness.errors import RequestError, input_output_error
from harness.report.compare.error_rate import LEVEL
from harness.report.compare.power import Rules, found, paired_shifts, unpaired_shifts
from harness.report.compare.verdicts import BAND

SCHEMA_VERSION = 2
APPLICATION = "backprop-harness"
WORST = 0.09
"""If more drawn runs of equals than this call a change, the level is lowered; 5 % are expected, the rest is chance."""
DRAWN = 2000
"""How many runs are drawn to find out what a gate finds."""
Twins: TypeAlias = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Gate:
    """By what a gate judges a cell."""

    rounds: tuple[int, int]
    """The rounds of A and of B."""
    band: float
    cells: int
    """How many cells the verdicts are corrected for."""
    paired: bool = True

    def __str__(self) -> str:
        """Return the rules in words."""
        a, b = self.rounds
        rounds = f"{a} rounds" if self.paired or a == b else f"{a} rounds of A and {b} of B"
        how = "in pairs" if self.paired else "not in pairs"
        cells = f"{self.cells} cell{'' if self.cells == 1 else 's'}"
        return f"{rounds} {how}, a band of {100 * self.band:.3g}% and the correction for {cells}"


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
    """The smallest change of one cell that is sure in 9 of 10 drawn runs; ``None`` if not even a doubling is.

    No band may be narrower than this.
    """
    times: tuple[Twins, ...]
    """The seconds per epoch of each cell and of its twin, by round."""
    measured: float = field(default_factory=time.time)
    """Seconds since 1970."""

    def __str__(self) -> str:
        """Return the calibration in words."""
        sure = "not even a doubling is sure" if self.smallest is None else f"{100 * self.smallest:.1f}% is sure"
        return (
            f"gate of {self.machine}, calibrated with {self.backend} on {self.cells} cells of {self.study}, "
            f"{self.rounds} rounds a run: false alarms in {self.alarms} of {self.runs} runs "
            f"({100 * self.alarm_rate:.1f}% of runs drawn from them); a copy slowed by {self.percent}% found in "
            f"{self.found} of {self.runs}; beyond the noise, a change of {sure}"
        )

    @property
    def level(self) -> float:
        """The share of whole comparisons of equals that may call a change: lower if the calibration saw too many."""
        return LEVEL if self.alarm_rate <= WORST else LEVEL * LEVEL / self.alarm_rate

    @property
    def own_gate(self) -> Gate:
        """The gate for which this calibration was made: its rounds and cells, and the usual band."""
        return Gate((self.rounds, self.rounds), max(BAND, self.smallest or 0.0), self.cells)

    def finds(self, gate: Gate, seed: int = 0) -> float:
        """Return the change of one cell that a gate finds in 8 of 10 cases; infinite with fewer than 3 rounds.

        The cases are runs of equals, drawn from the measured noise and judged by the rules of the gate.
        """
        rng = np.random.default_rng(seed)
        rules = Rules(gate.band, self.level / gate.cells)
        each = -(-DRAWN // len(self.times))
        if gate.paired:
            runs = [_pairs(twins, each, gate.rounds[0], rng) for twins in self.times]
            return found(paired_shifts(np.concatenate(runs), rules))
        before, after = (
            np.concatenate([_singles(twins, each, rounds, rng) for twins in self.times]) for rounds in gate.rounds
        )
        return found(unpaired_shifts(after, before, rules))

    def describe(self, gate: Gate) -> str:
        """Say in one sentence what a gate finds in 8 of 10 cases."""
        change = self.finds(gate)
        what = "no change at all" if math.isinf(change) else f"a change of one cell of {100 * change:.1f}% or more"
        return f"with {gate}, this gate finds {what} in 8 of 10 cases, by the noise of the calibration"

    def save(self) -> Path:
        """Keep it as the calibration of this machine; return the path of its file."""
        path = place(self.machine)
        draft = path.with_suffix(".tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps({"schema_version": SCHEMA_VERSION, **asdict(self)}) + "\n")
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):  # the first failure is the one to tell
                draft.unlink(missing_ok=True)
            raise input_output_error(OSError(error.errno, error.strerror, str(path))) from error
        return path

    @classmethod
    def load(cls, machine: str) -> Calibration:
        """Return the calibration of a machine; refuse the request if it is absent, or no calibration of ours.

        A file that cannot be read is an ``InputOutputError``.
        """
        path, step = place(machine), "run: harness gate --calibrate"
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            raise RequestError(f"the gate of {machine} was never calibrated; {step}") from None
        except OSError as error:
            raise input_output_error(error, path) from error
        except ValueError as error:
            raise RequestError(f"{path}: {error}; {step}") from error
        names = {field.name for field in fields(cls)}
        if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION or not names <= data.keys():
            raise RequestError(f"{path}: not the calibration of this harness; {step}")
        told = {name: data[name] for name in names}
        try:
            return cls(**{**told, "times": _twins(told["times"])})
        except (TypeError, ValueError):
            raise RequestError(f"{path}: not the calibration of this harness; {step}") from None


def _twins(told: Any) -> tuple[Twins, ...]:
    """Return the times of all cells as they were before they were written."""
    twins = tuple((tuple(map(float, plain)), tuple(map(float, twin))) for plain, twin in told)
    if not twins or not all(len(plain) == len(twin) > 1 for plain, twin in twins):
        raise ValueError("no times")
    return twins


def _pairs(twins: Twins, runs: int, rounds: int, rng: np.random.Generator) -> Any:
    """Draw log ratios of equals: which of the two is divided by the other is drawn as well."""
    plain, twin = np.log(np.asarray(twins))
    return rng.choice(twin - plain, (runs, rounds)) * rng.choice([-1.0, 1.0], (runs, rounds))


def _singles(twins: Twins, runs: int, rounds: int, rng: np.random.Generator) -> Any:
    """Draw logarithms of times of equals that were not measured in pairs."""
    return rng.choice(np.log(np.asarray(twins)).ravel(), (runs, rounds))


def place(machine: str) -> Path:
    """Return the path of the file with the calibration of a machine."""
    return platformdirs.user_state_path(APPLICATION, appauthor=False) / "gate" / f"{machine}.json"
