"""A ``Result`` as text for a terminal, as Markdown for a pull request, and as an object for a program.

All three show the same words: one line for each cell.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness.errors import clean
from harness.report.compare.result import Result
from harness.report.compare.verdicts import Comparison
from harness.report.export import finite
from harness.report.figures import NO_FIGURE, in_time_unit
from harness.report.statistics import Estimate, median

SCHEMA_VERSION = 1
FIGURES = ("A", "B", "ratio", "interval", "rounds", "verdict", "remark")
MARKS = {"slower": "🔴", "broken": "🔴", "faster": "🟢", "mended": "🟢", "undecided": "⚪", "same": "", "none": ""}
ALWAYS = ("workers", "batch")
MEANING = {
    "slower": "B takes longer than A, beyond the band, after correction for all cells",
    "faster": "B takes less time than A, beyond the band, after correction for all cells",
    "same": "a change as large as the band is excluded",
    "undecided": "these samples show neither a change nor that there is none",
    "broken": "B failed in rounds in which A did not",
    "mended": "A failed in rounds in which B did not",
    "none": "there are no times on both sides",
}


def _rows(result: Result) -> tuple[list[str], list[list[str]]]:
    """Return the headings, and one row of text for each cell."""
    shown = _axes(result)
    return [*shown, *FIGURES], [
        [str(comparison.setting.get(name, "")) for name in shown] + _figures(comparison) for comparison in result.cells
    ]


def _figures(comparison: Comparison) -> list[str]:
    before, after = (list(side.times.values()) for side in (comparison.pair.before, comparison.pair.after))
    ratio = NO_FIGURE if comparison.ratio is None else f"{comparison.ratio.value:.3f}"
    count = f"{len(comparison.pair.shared)}" if comparison.pair.paired else f"{len(before)}/{len(after)}"
    times = [in_time_unit(median(side)) if side else NO_FIGURE for side in (before, after)]
    return [*times, ratio, _interval(comparison.ratio), count, comparison.verdict, _remark(comparison)]


def as_text(result: Result) -> str:
    """Return the result for a terminal: first what differs, then the cells, the worst first."""
    headings, table = _rows(result)
    parts = [
        [clean(_headline(result))],
        list(map(clean, _before_times(result))),
        _listed("differs:", _differing(result)),
    ]
    parts += [_aligned(headings, table), list(map(clean, _below_table(result)))]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _aligned(headings: list[str], table: list[list[str]]) -> list[str]:
    lines = [headings, *(list(map(clean, row)) for row in table)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _listed(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {clean(line)}" for line in lines)] if lines else []


def as_markdown(result: Result) -> str:
    """Return the result as Markdown for a pull request; nothing in a name can become markup."""
    headings, table = _rows(result)
    lines = [f"### {_escaped(_headline(result))}", ""]
    lines += [f"**{_escaped(line)}**\n" for line in _before_times(result)]
    if result.differences:
        lines += ["<details open><summary>Differs</summary>", ""]
        lines += [f"- {_escaped(line)}" for line in _differing(result)]
        lines += ["", "</details>", ""]
    lines += [_line(headings), _line(["---"] * len(headings))]
    verdict = headings.index("verdict")
    for row in table:
        row[verdict] = f"{MARKS[row[verdict]]} {row[verdict]}".strip()
        lines.append(_line(list(map(_escaped, row))))
    return "\n".join([*lines, "", *(f"{_escaped(line)}  " for line in _below_table(result))]) + "\n"


def _line(words: list[str]) -> str:
    return f"| {' | '.join(words)} |"


def _escaped(text: str) -> str:
    """Return one line of text in which Markdown, HTML and mentions have no effect."""
    quoted = html.escape(clean(text), quote=False)
    return re.sub(r"([\\`*_{}\[\]|#~])", r"\\\1", quoted).replace("@", "@\u200b")


def as_object(result: Result) -> dict[str, Any]:
    """Return the result as plain data for JSON."""
    plain: dict[str, Any] = finite(
        {
            "schema_version": SCHEMA_VERSION,
            "a": {"kind": result.a.kind, "word": result.a.word, "machines": sorted(result.a.machines)},
            "b": {"kind": result.b.kind, "word": result.b.word, "machines": sorted(result.b.machines)},
            "regression": result.regression,
            "undecided": result.undecided,
            "notes": _before_times(result),
            "differences": [vars(fact) for fact in result.differences],
            "cells": [_cell(comparison) for comparison in result.cells],
            "only_a": [dict(setting) for setting in result.only_a],
            "only_b": [dict(setting) for setting in result.only_b],
        }
    )
    return plain


def _cell(comparison: Comparison) -> dict[str, Any]:
    pair, ratio = comparison.pair, comparison.ratio
    return {
        **comparison.setting,
        "verdict": comparison.verdict,
        "ratio": ratio and ratio.value,
        "low": ratio and ratio.low,
        "high": ratio and ratio.high,
        "paired": pair.paired,
        "rounds": [len(pair.shared)] * 2 if pair.paired else [len(pair.before.times), len(pair.after.times)],
        "band": comparison.band,
        "p_change": comparison.p_change,
        "p_same": comparison.p_same,
        "could_show": comparison.shows,
        "rounds_needed": comparison.rounds,
        "seconds_a": list(pair.before.times.values()),
        "seconds_b": list(pair.after.times.values()),
        "state_a": pair.before.state,
        "state_b": pair.after.state,
        "remark": _remark(comparison),
    }


def _axes(result: Result) -> list[str]:
    """Return the axes to show: workers, batch, backend, and whatever is not the same in every cell."""
    settings = [comparison.setting for comparison in result.cells]
    every = dict.fromkeys(name for setting in settings for name in setting)
    return [
        name
        for name in every
        if name in ALWAYS or name == "backend" or len({setting.get(name) for setting in settings}) > 1
    ]


def _interval(ratio: Estimate | None) -> str:
    """Return the interval of a ratio, or a dash if there are too few samples for one."""
    if ratio is None or ratio.low is None or ratio.high is None:
        return NO_FIGURE
    return f"{ratio.low:.3f} to {ratio.high:.3f}"


def _remark(comparison: Comparison) -> str:
    """Say what the verdict alone does not: what would decide it, how it was measured, what failed."""
    before, after = comparison.pair.before, comparison.pair.after
    said = []
    if comparison.verdict == "undecided":
        timed_out = " and ".join(name for name, side in (("A", before), ("B", after)) if side.timed_out)
        said.append(f"{timed_out} reached the time limit: no claim" if timed_out else _advice(comparison))
    if comparison.ratio is not None and not comparison.pair.paired:
        said.append("unpaired")
    for name, side in (("A", before), ("B", after)):
        if side.lost:
            states = sorted({str(stored.row.state) for stored in side.rows} - {"ok"}) or ["without a time"]
            said.append(f"{name}: {side.lost} of {len(side.rows)} rounds {', '.join(states)}")
    return "; ".join(said)


def _advice(comparison: Comparison) -> str:
    have = comparison.ratio.count if comparison.ratio else 0
    if comparison.shows is None:
        return f"{have} of at least {comparison.rounds} rounds"
    share = comparison.shows
    could = f"could have shown {100 * share:.0f}%" if share < 10 else "could not have shown even a tenfold change"
    if comparison.rounds is None:
        return f"{could}; not even 1000 rounds would decide"
    more = comparison.rounds - have
    return f"{could}; about {more} more round{'' if more == 1 else 's'} would decide"


def _headline(result: Result) -> str:
    """Return the result in one sentence."""
    counts = Counter(comparison.verdict for comparison in result.cells)
    told = [f"{count} {verdict}" for verdict, count in counts.items() if verdict != "none"]
    total = len(result.cells)
    cells = f"{total} cell{'' if total == 1 else 's'}"
    return (
        f"B = {result.b.word} against A = {result.a.word}, {cells}: {', '.join(told) or 'none measured on both sides'}"
    )


def _before_times(result: Result) -> list[str]:
    """Return what must be read before any time: different machines, different runs, and the notes."""
    lines = []
    if result.machines:
        here, there = (", ".join(sorted(side.machines)) for side in (result.a, result.b))
        lines.append(f"times of DIFFERENT MACHINES are compared, as asked: {here} and {there}")
    lines += list(result.notes)
    if any(cell.ratio is not None and not cell.pair.paired for cell in result.cells):
        lines.append(
            "A and B were measured in different runs: whatever changed on the machine in between is part of the ratios"
        )
    return lines


def _differing(result: Result) -> list[str]:
    """Return what differs between the sides, with the number of cells unless it concerns all of them."""
    total = len(result.cells)
    return [
        f"{fact}{'' if fact.cells == total else f' ({fact.cells} of {total} cells)'}" for fact in result.differences
    ]


def _below_table(result: Result) -> list[str]:
    """Return what stands below the table."""
    lines = []
    for name, settings in (("A", result.only_a), ("B", result.only_b)):
        if settings:
            lines.append(f"{len(settings)} cells only in {name}, such as {_named(settings)}")
    if result.cells:
        bands = sorted({comparison.band for comparison in result.cells})
        lines.append(
            f"ratio: time of B over time of A, with the 95 % interval of the cell alone; band: {_bands(bands)}; "
            "verdicts are corrected for all cells together (Holm)"
        )
    lines += [
        f"{verdict}: {MEANING[verdict]}" for verdict in dict.fromkeys(comparison.verdict for comparison in result.cells)
    ]
    return lines


def _named(settings: Sequence[object]) -> str:
    (first, *_) = settings
    if not isinstance(first, dict):
        return str(first)
    return " ".join(f"{name}={first[name]}" for name in ("backend", *ALWAYS) if name in first)


def _bands(bands: Sequence[float]) -> str:
    return ", ".join(f"±{100 * band:.3g} %" for band in bands)
