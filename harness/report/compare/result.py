"""``compare``: two sides become a ``Result``, with a verdict for each cell and with everything else that differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import RequestError
from harness.report.compare.error_rate import LABEL, LEVEL
from harness.report.compare.pairing import Pair, Samples, Setting, matched
from harness.report.compare.sides import Side, check_comparable
from harness.report.compare.verdicts import REGRESSIONS, Comparison, Thresholds, check_keys, judged

ABSENT = "not set"
SHOWN: tuple[str, ...] = (
    *(f"hardware.{name}" for name in ("cpu", "system", "usable_cores", "cpu_quota", "gpus")),
    *("python.version", "python.gil", "threads.asked"),
)
"""Single facts of the receipt that are compared."""
WHOLE = ("variables", "libraries")
"""Parts of the receipt that are compared entry by entry."""
PEAK_DRIFT = 0.1
"""The machine's peak is reported as different if it changed by more than this share."""


@dataclass(frozen=True)
class ChangedFact:
    """One fact that is not the same on both sides, with the number of cells that it concerns."""

    name: str
    before: str
    after: str
    cells: int

    def __str__(self) -> str:
        """Return it on one line."""
        return f"{self.name}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class Result:
    """The result of a comparison."""

    a: Side
    b: Side
    cells: tuple[Comparison, ...]
    only_a: tuple[Setting, ...]
    only_b: tuple[Setting, ...]
    differences: tuple[ChangedFact, ...]
    machines: bool = False
    """Whether times of different machines were compared because the user asked for that."""
    notes: tuple[str, ...] = ()

    @property
    def regression(self) -> bool:
        """Whether any cell became slower or broke."""
        return any(comparison.verdict in REGRESSIONS for comparison in self.cells)

    @property
    def undecided(self) -> bool:
        """Whether any cell could not be decided, or there was none."""
        return not self.cells or any(comparison.verdict == "undecided" for comparison in self.cells)


def compare(
    a: Side, b: Side, thresholds: Thresholds | None = None, *, level: float = LEVEL, across_machines: bool = False
) -> Result:
    """Compare two sides. Refuse sides that share no cell, share rows, or were measured on different machines.

    ``level`` is the share of whole comparisons of equals that may call any change.
    """
    thresholds = thresholds or Thresholds()
    ignored = check_comparable(a, b, across_machines=across_machines)
    pairs, only_a, only_b = matched(a.rows, b.rows, ignored)
    if not pairs:
        raise RequestError(f"{a.word} and {b.word} have no cell in common, so there is nothing to compare")
    options = frozenset(name for stored in (*a.rows, *b.rows) for name in stored.row.cell.options)
    check_keys(thresholds, options)
    cells = judged(pairs, thresholds, level)
    return Result(
        a=a,
        b=b,
        cells=tuple(sorted(cells, key=_worst_first)),
        only_a=tuple(only_a),
        only_b=tuple(only_b),
        differences=differences(pairs, backends=a.kind == "backend"),
        notes=_stopped_early(a, b),
        machines="machine" in ignored,
    )


def _stopped_early(a: Side, b: Side) -> tuple[str, ...]:
    """Warn if somebody stopped measuring because of the measured times."""
    if not any(stored.label == LABEL for stored in (*a.rows, *b.rows)):
        return ()
    return (f"rows labelled {LABEL} were sampled until a verdict: judged again here, they are wrong more often",)


def _worst_first(comparison: Comparison) -> tuple[int, float]:
    """Return the sort key: first what broke, then what is slower, by how much, then the rest."""
    ranks = ("broken", "slower", "undecided", "faster", "mended", "same", "none")
    return ranks.index(comparison.verdict), -comparison.ratio.value if comparison.ratio else 0.0


def differences(pairs: Sequence[tuple[Setting, Pair]], *, backends: bool = False) -> tuple[ChangedFact, ...]:
    """Return what differs between the sides of cells that both have, the most common first.

    It is shown before any time, because it may be the cause. Two ``backends`` differ in their plugins and libraries by
    nature, so these are left out; and a fact that changed while both were measured is no difference between them.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for _, pair in pairs:
        before, after = (_facts(side, backends=backends) for side in (pair.before, pair.after))
        for name in sorted(before.keys() | after.keys()):
            old, new = (side.get(name, frozenset({ABSENT})) for side in (before, after))
            if old.isdisjoint(new) if backends else old != new:
                counts[name, " | ".join(sorted(old)), " | ".join(sorted(new))] += 1
        counts.update(_peaks(pair))
    return tuple(ChangedFact(*fact, count) for fact, count in counts.most_common())


def _facts(samples: Samples, *, backends: bool) -> dict[str, frozenset[str]]:
    """Return the facts of a side as text, with all values of a fact on which its rounds disagree."""
    values: dict[str, set[str]] = {}
    for stored in samples.rows:
        if stored.row.receipt:
            values.setdefault("machine", set()).add(stored.row.machine)
            for name, value in _named_facts(stored.row.receipt, backends=backends):
                values.setdefault(name, set()).add(value)
    return {name: frozenset(several) for name, several in values.items()}


def _named_facts(receipt: Mapping[str, Any], *, backends: bool) -> Iterator[tuple[str, str]]:
    for path in SHOWN:
        part, _, name = path.partition(".")
        yield name.replace("_", " "), _text(_part(receipt, part).get(name))
    for part in WHOLE[: 1 if backends else None]:
        for name, value in _part(receipt, part).items():
            yield str(name), _text(value)
    for part, facts in _part(receipt, "origin").items():
        if isinstance(facts, Mapping) and not (backends and part == "plugin"):
            dirty = " with changes" if facts.get("dirty") else ""
            yield str(part), f"{facts.get('version', '')} {str(facts.get('commit', ''))[:12]}{dirty}".strip()
    yield "BLAS kernels", ", ".join(sorted(set(_kernels(receipt))))


def _kernels(receipt: Mapping[str, Any]) -> Iterator[str]:
    pools = _part(receipt, "threads").get("pools", ())
    for pool in pools if isinstance(pools, Iterable) else ():
        if isinstance(pool, Mapping) and pool.get("architecture"):
            yield str(pool["architecture"])


def _peaks(pair: Pair) -> Iterator[tuple[str, str, str]]:
    """Yield the peaks of the machine itself if they differ between the sides."""
    before, after = _peak(pair.before), _peak(pair.after)
    if before and after and abs(after / before - 1) > PEAK_DRIFT:
        yield "limit of the machine, GFLOP/s", f"{before:.0f}", f"{after:.0f}"


def _peak(samples: Samples) -> float:
    values = [_part(stored.row.receipt, "limit").get("gflops") for stored in samples.rows]
    peaks = sorted(float(peak) for peak in values if isinstance(peak, int | float))
    return peaks[len(peaks) // 2] if peaks else 0.0


def _part(receipt: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = receipt.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
