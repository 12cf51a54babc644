"""The runner: cells in, rows out, each measured in a process group of its own. Imports no NumPy and no plugin."""

from __future__ import annotations

from harness.runner.events import CellBegun as CellBegun
from harness.runner.events import CellEnded as CellEnded
from harness.runner.events import CellNews as CellNews
from harness.runner.events import Event as Event
from harness.runner.events import LimitBegun as LimitBegun
from harness.runner.events import LimitEnded as LimitEnded
from harness.runner.events import OnEvent as OnEvent
from harness.runner.events import RunBegun as RunBegun
from harness.runner.events import RunEnded as RunEnded
from harness.runner.loop import run_cells as run_cells
from harness.runner.peaks import Measure as Measure
from harness.runner.peaks import Peak as Peak
