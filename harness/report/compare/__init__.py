"""Two sides of measurements compared cell by cell: ratios with intervals, verdicts, and what would decide the rest.

Pure: rows in, a result out. ``docs/compare.md`` says what each verdict promises and what it rests on.
"""

from __future__ import annotations

from harness.report.compare.judging import Comparison as Comparison
from harness.report.compare.result import Result as Result
from harness.report.compare.result import compare as compare
from harness.report.compare.sides import Side as Side
from harness.report.compare.thresholds import Thresholds as Thresholds
