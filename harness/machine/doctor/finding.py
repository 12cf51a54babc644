"""``Finding``: one sentence of the doctor, with its level and its advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["fact", "note", "warning"]
"""A fact needs no action. A note may matter. A warning says that measurements will be wrong or slower than needed."""


@dataclass(frozen=True)
class Finding:
    """What was found, under which topic, and what to do about it, if anything."""

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
    """Return a share in whole percent, or with one decimal if it is below 10 %."""
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share:.1%}"
