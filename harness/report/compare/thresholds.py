"""From which change on a cell counts as changed: one band for all, and others for groups of cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import RequestError, nearest

BAND = 0.05
KEYS = ("backend", "workers", "batch", "network", "dataset", "machine")


@dataclass(frozen=True)
class Group:
    """Cells that have all these values, and their band."""

    values: Mapping[str, str]
    band: float

    def holds(self, known: Mapping[str, frozenset[str]]) -> bool:
        """Return whether a cell with these values, several where the two sides differ, belongs to the group."""
        return all(value in known.get(name, frozenset()) for name, value in self.values.items())


@dataclass(frozen=True)
class Thresholds:
    """The band of every cell: that of the last group it belongs to, else the default."""

    default: float = BAND
    groups: tuple[Group, ...] = ()
    least: float = 0.0
    """No band is narrower: what this machine's calibration could not see anyway."""

    def band(self, known: Mapping[str, frozenset[str]]) -> float:
        """Return the band as a share: 0.05 takes ratios from 1/1.05 to 1.05 for the same."""
        found = [group.band for group in self.groups if group.holds(known)]
        return max(self.least, found[-1] if found else self.default)

    @classmethod
    def parse(cls, default: str, groups: Sequence[str] = ()) -> Thresholds:
        """Read ``5%`` and ``backend=python,batch=1:20%``."""
        return cls(share(default, "--band"), tuple(map(_group, groups)))


def share(text: str, option: str) -> float:
    """Read ``5%`` or ``0.05``."""
    word = text.strip()
    try:
        value = float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not 0 < value <= 10:
        raise RequestError(f"{option} {text!r}: write a share above 0 such as 5% or 0.05")
    return value


def _group(text: str) -> Group:
    conditions, colon, band = text.rpartition(":")
    pairs = [word.partition("=") for word in conditions.split(",")]
    if not colon or not all(name and equals and value for name, equals, value in pairs):
        raise RequestError(f"--threshold {text!r}: write KEY=VALUE[,KEY=VALUE]:SHARE, as in backend=python,batch=1:20%")
    return Group({name.strip(): value.strip() for name, _, value in pairs}, share(band, f"--threshold {text!r}:"))


def check_keys(thresholds: Thresholds, options: frozenset[str]) -> None:
    """Refuse a group whose key is neither an axis nor an option of any cell."""
    for group in thresholds.groups:
        for name in group.values:
            if name not in KEYS and name not in options:
                raise RequestError(f"--threshold: unknown key {name!r}{nearest(name, {*KEYS, *options})}")
