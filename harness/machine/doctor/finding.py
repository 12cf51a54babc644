"""``Finding``: one thing that the doctor says, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["fact", "note", "warning"]
"""A fact needs no action; a note may matter; a warning makes figures wrong or worse than they need to be."""


@dataclass(frozen=True)
class Finding:
    """What was seen, under which heading, and what to do where something can be done."""

    topic: str
    level: Level
    sentence: str
    advice: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """The numbers behind the sentence, for ``--json``."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "figures": dict(self.figures)}


def percent(share: float) -> str:
    """Return a share as whole percents, or tenths where it is small."""
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share:.1%}"
