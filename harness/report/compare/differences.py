"""What else differs between two sides: machines, versions, variables. Shown before any time, because it may be why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.compare.pairing import Pair, Samples, Setting

ABSENT = "not set"
SHOWN: tuple[str, ...] = (
    *(f"hardware.{name}" for name in ("cpu", "system", "usable_cores", "cpu_quota", "gpus")),
    *("python.version", "python.gil", "threads.asked"),
)
WHOLE = ("variables", "libraries")
"""Parts of the receipt that are compared entry by entry."""
PEAK_DRIFT = 0.1


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same on both sides, with the number of cells it concerns."""

    name: str
    before: str
    after: str
    cells: int

    def __str__(self) -> str:
        """Return it on one line."""
        return f"{self.name}: {self.before} -> {self.after}"


def differences(pairs: Sequence[tuple[Setting, Pair]], *, backends: bool = False) -> tuple[Difference, ...]:
    """Return what differs between the sides of cells that both have, the most common first.

    Two ``backends`` differ in their plugins and libraries by nature, so that is left out; and what changed while both
    were measured is no difference between them.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    for _, pair in pairs:
        before, after = (_facts(side, backends=backends) for side in (pair.before, pair.after))
        for name in sorted(before.keys() | after.keys()):
            one, other = (side.get(name, frozenset({ABSENT})) for side in (before, after))
            if one.isdisjoint(other) if backends else one != other:
                found[name, " | ".join(sorted(one)), " | ".join(sorted(other))] += 1
        found.update(_peaks(pair))
    return tuple(Difference(*fact, count) for fact, count in found.most_common())


def _facts(samples: Samples, *, backends: bool) -> dict[str, frozenset[str]]:
    """Return facts of a side as text; where its rounds disagree, all values."""
    values: dict[str, set[str]] = {}
    for one in samples.rows:
        if one.row.receipt:
            values.setdefault("machine", set()).add(one.row.machine)
            for name, value in _named(one.row.receipt, backends=backends):
                values.setdefault(name, set()).add(value)
    return {name: frozenset(several) for name, several in values.items()}


def _named(receipt: Mapping[str, Any], *, backends: bool) -> Iterator[tuple[str, str]]:
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
    """Yield how fast the machine itself was, where that is not the same on both sides."""
    before, after = _peak(pair.before), _peak(pair.after)
    if before and after and abs(after / before - 1) > PEAK_DRIFT:
        yield "GEMM peak, GFLOP/s", f"{before:.0f}", f"{after:.0f}"


def _peak(samples: Samples) -> float:
    found = [_part(one.row.receipt, "limit").get("gflops") for one in samples.rows]
    peaks = sorted(float(peak) for peak in found if isinstance(peak, int | float))
    return peaks[len(peaks) // 2] if peaks else 0.0


def _part(receipt: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = receipt.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
