"""Two sides of measurements compared cell by cell: ratios with intervals, verdicts, and what would decide the rest.

Nothing here measures: rows go in, a result comes out. ``docs/compare.md`` says what each verdict promises. The flow:
``sides`` (what A and B are) -> ``pairing`` (which cells belong together) -> ``evidence`` (what the samples of a cell
say) -> ``verdicts`` (with ``error_rate``, the correction for many cells) -> ``result`` -> ``display``. Beside it stand
the cost models of two backends: ``cost`` and ``crossover``.
"""

from __future__ import annotations

from harness.report.compare.result import Result as Result
from harness.report.compare.result import compare as compare
from harness.report.compare.sides import Side as Side
from harness.report.compare.verdicts import Comparison as Comparison
from harness.report.compare.verdicts import Thresholds as Thresholds
