"""``compare``: two sides to a ``Result``, every cell with its ratio, its verdict and what would decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.compare.comparable import check_comparable
from harness.report.compare.differences import Difference, differences
from harness.report.compare.judging import LEVEL, REGRESSIONS, Comparison, judged
from harness.report.compare.looks import LABEL
from harness.report.compare.pairing import Pair, Setting, matched
from harness.report.compare.sides import Side
from harness.report.compare.thresholds import Thresholds, check_keys


@dataclass(frozen=True)
class Result:
    """Everything that a comparison came to."""

    a: Side
    b: Side
    cells: tuple[Comparison, ...]
    only_a: tuple[Setting, ...]
    only_b: tuple[Setting, ...]
    differences: tuple[Difference, ...]
    machines: bool = False
    """Whether times of different machines were compared because that was asked for."""
    notes: tuple[str, ...] = ()

    @property
    def regression(self) -> bool:
        """Whether any cell became slower or broke."""
        return any(one.verdict in REGRESSIONS for one in self.cells)

    @property
    def undecided(self) -> bool:
        """Whether any cell could not be decided, or there was none."""
        return not self.cells or any(one.verdict == "undecided" for one in self.cells)


def compare(
    a: Side, b: Side, thresholds: Thresholds | None = None, *, level: float = LEVEL, across_machines: bool = False
) -> Result:
    """Compare two sides; refuse what has no cell in common or was measured on different machines.

    ``level`` is the share of whole comparisons of equals that may call any change.
    """
    thresholds = thresholds or Thresholds()
    ignored = check_comparable(a, b, across_machines=across_machines)
    pairs, only_a, only_b = matched(a.rows, b.rows, ignored)
    options = frozenset(name for one in (*a.rows, *b.rows) for name in one.row.cell.options)
    check_keys(thresholds, options)
    cells = judged(pairs, thresholds, level)
    return Result(
        a=a,
        b=b,
        cells=tuple(sorted(cells, key=_order)),
        only_a=tuple(only_a),
        only_b=tuple(only_b),
        differences=differences(pairs, backends=a.kind == "backend"),
        notes=(*_same_rows(pairs), *_chosen(a, b)),
        machines="machine" in ignored,
    )


def _same_rows(pairs: Sequence[tuple[Setting, Pair]]) -> tuple[str, ...]:
    """Say it where the two sides are one."""
    sides = [
        {(one.run, one.row.cell.key, one.row.round) for samples in side for one in samples.rows}
        for side in zip(*((pair.before, pair.after) for _, pair in pairs), strict=True)
    ]
    shared = len(set.intersection(*sides)) if sides else 0
    return (f"{shared} rows are on both sides: they are compared with themselves",) if shared else ()


def _chosen(a: Side, b: Side) -> tuple[str, ...]:
    """Say it where somebody stopped measuring because of what was measured."""
    if not any(one.label == LABEL for one in (*a.rows, *b.rows)):
        return ()
    return (f"rows labelled {LABEL} were sampled until a verdict: judged again here, they err more often than said",)


def _order(one: Comparison) -> tuple[int, float]:
    """Worst first: what broke, what is slower, by how much, then the rest."""
    ranks = ("broken", "slower", "undecided", "faster", "mended", "same", "none")
    return ranks.index(one.verdict), -one.ratio.value if one.ratio else 0.0
