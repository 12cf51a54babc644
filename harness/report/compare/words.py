"""Comparisons in words: one line for each cell, the same in the terminal, in Markdown and in JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.report.compare.judging import Comparison
from harness.report.compare.result import Result
from harness.report.figures import NO_FIGURE, three
from harness.report.statistics import Estimate

ALWAYS = ("workers", "batch")
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
MEANING = {
    "slower": "B takes longer than A, beyond the band, after correction for all cells",
    "faster": "B takes less time than A, beyond the band, after correction for all cells",
    "same": "a change as large as the band is excluded",
    "undecided": "these samples show neither a change nor that there is none",
    "broken": "A gave times, B does not",
    "mended": "B gives times, A did not",
    "none": "not measured on both sides",
}


def names(result: Result) -> list[str]:
    """Return the axes to show: workers and batch, and whatever is not the same in every cell."""
    settings = [one.setting for one in result.cells]
    every = dict.fromkeys(name for setting in settings for name in setting)
    return [
        name for name in every if name in ALWAYS or name == "backend" or len({one.get(name) for one in settings}) > 1
    ]


def interval(ratio: Estimate | None) -> str:
    """Return the interval of a ratio, or a dash where there are too few samples for one."""
    if ratio is None or ratio.low is None or ratio.high is None:
        return NO_FIGURE
    return f"{ratio.low:.3f} to {ratio.high:.3f}"


def seconds(value: float | None) -> str:
    """Return a time in the unit that suits it."""
    if value is None:
        return NO_FIGURE
    size, unit = next((unit for unit in UNITS if value >= 0.1 * unit[0]), UNITS[-1])
    return f"{three(value / size)} {unit}"


def remark(one: Comparison) -> str:
    """Say what a verdict alone does not: what would decide it, how it was measured, what failed."""
    before, after = one.pair.before, one.pair.after
    said = []
    if one.verdict == "undecided":
        said.append(_advice(one))
    if one.ratio is not None and not one.pair.paired:
        said.append("unpaired")
    for name, side in (("A", before), ("B", after)):
        if side.lost:
            states = sorted({str(one.row.state) for one in side.rows} - {"ok"}) or ["without a time"]
            said.append(f"{name}: {side.lost} of {len(side.rows)} rounds {', '.join(states)}")
    return "; ".join(said)


def _advice(one: Comparison) -> str:
    have = one.ratio.count if one.ratio else 0
    if one.shows is None:
        return f"{have} of at least {one.rounds} rounds"
    could = f"could have shown {100 * one.shows:.0f}%" if one.shows < 10 else "could not have shown a tenfold change"
    if one.rounds is None:
        return f"{could}; not even 1000 rounds would decide"
    more = one.rounds - have
    return f"{could}; about {more} more round{'' if more == 1 else 's'} would decide"


def headline(result: Result) -> str:
    """Return the whole result in one sentence."""
    counts = Counter(one.verdict for one in result.cells)
    told = [f"{count} {verdict}" for verdict, count in counts.items() if verdict != "none"]
    total = len(result.cells)
    cells = f"{total} cell{'' if total == 1 else 's'}"
    return (
        f"B = {result.b.word} against A = {result.a.word}, {cells}: {', '.join(told) or 'none measured on both sides'}"
    )


def first(result: Result) -> list[str]:
    """Return what must be read before any time: other machines, versions, variables, and what else is notable."""
    lines = []
    if result.machines:
        here, there = (", ".join(sorted(side.machines)) for side in (result.a, result.b))
        lines.append(f"times of DIFFERENT MACHINES are compared, as asked: {here} and {there}")
    lines += list(result.notes)
    if any(one.ratio is not None and not one.pair.paired for one in result.cells):
        lines.append("A and B were measured in different runs: what the machine did between them is in the ratios")
    return lines


def differing(result: Result) -> list[str]:
    """Return what differs between the sides, with the number of cells where it is not all of them."""
    total = len(result.cells)
    return [f"{one}{'' if one.cells == total else f' ({one.cells} of {total} cells)'}" for one in result.differences]


def last(result: Result) -> list[str]:
    """Return what stands below the table."""
    lines = []
    for name, settings in (("A", result.only_a), ("B", result.only_b)):
        if settings:
            lines.append(f"{len(settings)} cells only in {name}, such as {_named(settings)}")
    if result.cells:
        bands = sorted({one.band for one in result.cells})
        lines.append(
            f"ratio: time of B over time of A, with the 95 % interval of the cell alone; band: {_bands(bands)}; "
            "verdicts are corrected for all cells together (Holm)"
        )
    lines += [f"{verdict}: {MEANING[verdict]}" for verdict in dict.fromkeys(one.verdict for one in result.cells)]
    return lines


def _named(settings: Sequence[object]) -> str:
    (one, *_) = settings
    if not isinstance(one, dict):
        return str(one)
    return " ".join(f"{name}={one[name]}" for name in ("backend", *ALWAYS) if name in one)


def _bands(bands: Sequence[float]) -> str:
    return ", ".join(f"±{100 * band:.3g} %" for band in bands)
