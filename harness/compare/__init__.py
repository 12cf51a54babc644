"""Two sides of measurements compared cell by cell: ratios with intervals, verdicts, and what would decide the rest.

Pure: rows in, a result out. ``docs/compare.md`` says what each verdict promises and what it rests on.
"""

from __future__ import annotations

from harness.compare.judging import Comparison as Comparison
from harness.compare.result import Result as Result
from harness.compare.result import compare as compare
from harness.compare.sides import Side as Side
from harness.compare.thresholds import Thresholds as Thresholds
