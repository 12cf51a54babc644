"""A ``Result`` as text for a terminal, as Markdown for a pull request, and as an object for a program."""

from __future__ import annotations

import html
import re
from typing import Any

from harness.report.compare.judging import Comparison
from harness.report.compare.result import Result
from harness.report.compare.words import differing, first, headline, interval, last, names, remark, seconds
from harness.report.export import finite
from harness.report.figures import NO_FIGURE
from harness.report.statistics import median
from harness.text import clean

SCHEMA_VERSION = 1
FIGURES = ("A", "B", "ratio", "interval", "rounds", "verdict", "remark")
MARKS = {"slower": "🔴", "broken": "🔴", "faster": "🟢", "mended": "🟢", "undecided": "⚪", "same": "", "none": ""}


def rows(result: Result) -> tuple[list[str], list[list[str]]]:
    """Return headings and one row of text for each cell."""
    shown = names(result)
    return [*shown, *FIGURES], [
        [str(one.setting.get(name, "")) for name in shown] + _figures(one) for one in result.cells
    ]


def _figures(one: Comparison) -> list[str]:
    before, after = (list(side.times.values()) for side in (one.pair.before, one.pair.after))
    ratio = NO_FIGURE if one.ratio is None else f"{one.ratio.value:.3f}"
    count = f"{len(one.pair.shared)}" if one.pair.paired else f"{len(before)}/{len(after)}"
    times = [seconds(median(side)) if side else NO_FIGURE for side in (before, after)]
    return [*times, ratio, interval(one.ratio), count, one.verdict, remark(one)]


def as_text(result: Result) -> str:
    """Return it for a terminal: what differs first, then the cells, the worst first."""
    headings, table = rows(result)
    parts = [[clean(headline(result))], list(map(clean, first(result))), _listed("differs:", differing(result))]
    parts += [_aligned(headings, table), list(map(clean, last(result)))]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _aligned(headings: list[str], table: list[list[str]]) -> list[str]:
    lines = [headings, *(list(map(clean, row)) for row in table)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _listed(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {clean(line)}" for line in lines)] if lines else []


def as_markdown(result: Result) -> str:
    """Return it for a pull request; nothing in a name can become markup."""
    headings, table = rows(result)
    lines = [f"### {_escaped(headline(result))}", ""]
    lines += [f"**{_escaped(line)}**\n" for line in first(result)]
    if result.differences:
        lines += ["<details open><summary>Differs</summary>", ""]
        lines += [f"- {_escaped(line)}" for line in differing(result)]
        lines += ["", "</details>", ""]
    lines += [_line(headings), _line(["---"] * len(headings))]
    verdict = headings.index("verdict")
    for row in table:
        row[verdict] = f"{MARKS[row[verdict]]} {row[verdict]}".strip()
        lines.append(_line(list(map(_escaped, row))))
    return "\n".join([*lines, "", *(f"{_escaped(line)}  " for line in last(result))]) + "\n"


def _line(words: list[str]) -> str:
    return f"| {' | '.join(words)} |"


def _escaped(text: str) -> str:
    """Return one line of text without anything that Markdown, HTML or a mention would act on."""
    quoted = html.escape(clean(text), quote=False)
    return re.sub(r"([\\`*_{}\[\]|#~])", r"\\\1", quoted).replace("@", "@\u200b")


def as_object(result: Result) -> dict[str, Any]:
    """Return it as plain data for JSON."""
    plain: dict[str, Any] = finite(
        {
            "schema_version": SCHEMA_VERSION,
            "a": {"kind": result.a.kind, "word": result.a.word, "machines": sorted(result.a.machines)},
            "b": {"kind": result.b.kind, "word": result.b.word, "machines": sorted(result.b.machines)},
            "regression": result.regression,
            "undecided": result.undecided,
            "notes": first(result),
            "differences": [vars(one) for one in result.differences],
            "cells": [_cell(one) for one in result.cells],
            "only_a": [dict(one) for one in result.only_a],
            "only_b": [dict(one) for one in result.only_b],
        }
    )
    return plain


def _cell(one: Comparison) -> dict[str, Any]:
    pair, ratio = one.pair, one.ratio
    return {
        **one.setting,
        "verdict": one.verdict,
        "ratio": ratio and ratio.value,
        "low": ratio and ratio.low,
        "high": ratio and ratio.high,
        "paired": pair.paired,
        "rounds": [len(pair.shared)] * 2 if pair.paired else [len(pair.before.times), len(pair.after.times)],
        "band": one.band,
        "p_change": one.p_change,
        "p_same": one.p_same,
        "could_show": one.shows,
        "rounds_needed": one.rounds,
        "seconds_a": list(pair.before.times.values()),
        "seconds_b": list(pair.after.times.values()),
        "state_a": pair.before.state,
        "state_b": pair.after.state,
        "remark": remark(one),
    }
