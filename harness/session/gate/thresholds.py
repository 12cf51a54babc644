"""``compare --gate``: thresholds that follow from the calibration of the machine, and what such a gate finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.errors import RequestError
from harness.report.compare.result import Result, compare
from harness.report.compare.sides import Side
from harness.report.compare.verdicts import Comparison, Thresholds
from harness.session.gate.calibration import Calibration, Gate


def gated(a: Side, b: Side, thresholds: Thresholds, *, across_machines: bool = False) -> Result:
    """Compare two sides as a gate: by the calibration of their machine, which is told together with what it finds.

    No band is narrower than what the noise hides. If equals were called changed more often than promised, the level is
    lowered in proportion.
    """
    calibration = _calibration(a, b)
    bands = replace(thresholds, least=calibration.smallest or 0.0)
    result = compare(a, b, bands, level=calibration.level, across_machines=across_machines)
    notes = (str(calibration), *_findings(calibration, result), *_too_few(calibration, a, b))
    return replace(result, notes=(*notes, *result.notes))


def _calibration(a: Side, b: Side) -> Calibration:
    """Return the calibration of the one machine that measured both sides; refuse if there is none, or a blind one."""
    for side in (a, b):
        if len(side.machines) != 1:
            raise RequestError(f"{side.word}: --gate needs the rows of one machine, not {len(side.machines)}")
    (here,), (there,) = a.machines, b.machines
    if here != there:
        raise RequestError(
            f"{a.word} was measured on {here}, {b.word} on {there}: --gate knows the noise of one machine only; "
            "measure both on one, or compare without --gate"
        )
    calibration = Calibration.load(here)
    if calibration.smallest is None:
        raise RequestError(
            f"{calibration}: such a gate guards nothing; calibrate it on a quiet machine or with more rounds"
        )
    return calibration


def _findings(calibration: Calibration, result: Result) -> Iterator[str]:
    """Say what this gate finds, once for each band; of cells with the same band, the one with the fewest rounds counts.

    The noise is that of the calibration. What the rows themselves show is told beside it, because their cells may be
    noisier or quieter.
    """
    judged = [cell for cell in result.cells if cell.evidence is not None]
    groups: dict[tuple[float, bool], list[tuple[int, int]]] = {}
    for cell in judged:
        groups.setdefault((cell.band, cell.pair.paired), []).append(_rounds_of(cell))
    for (band, paired), rounds in sorted(groups.items()):
        fewest = min(a for a, _ in rounds), min(b for _, b in rounds)
        yield calibration.describe(Gate(fewest, band, len(judged), paired))
    changes = sorted(cell.shows for cell in judged if cell.shows is not None)
    if changes:
        least, most = f"{100 * changes[0]:.1f}%", f"{100 * changes[-1]:.1f}%"
        yield f"by the noise of these rows themselves: {least}" + (f" to {most}, by cell" if most != least else "")
    blind = len(result.cells) - len(judged)
    if blind:
        yield f"{blind} of {len(result.cells)} cells have too few rounds: it finds nothing there"


def _rounds_of(cell: Comparison) -> tuple[int, int]:
    if cell.pair.paired:
        return (len(cell.pair.shared),) * 2
    return len(cell.pair.before.times), len(cell.pair.after.times)


def _too_few(calibration: Calibration, *sides: Side) -> Iterator[str]:
    for side in sides:
        fewest = min(_rounds(side).values(), default=0)
        if fewest < calibration.rounds:
            needed = calibration.rounds
            yield f"{side.word} has cells of {fewest} rounds, fewer than the {needed} of the calibration"


def _rounds(side: Side) -> dict[str, int]:
    counts: dict[str, int] = {}
    for stored in side.rows:
        counts[stored.row.cell.key] = counts.get(stored.row.cell.key, 0) + 1
    return counts
