"""What a store knows beside the rows: ``Run``, the call that measured them, and ``Stored``, a row with its origin."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.runner.row import Row

Again = Literal["", "failed", "all"]
"""What to measure again although it was measured: nothing, what fell short or was unavailable, or everything."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One call of ``harness run``: what its rows have in common."""

    study: str
    machine: str
    code: str
    """Identity of the measuring code, from ``harness.store.identity``."""
    plugins: Mapping[str, str] = field(default_factory=dict)
    """Identity of each backend's plugin as it is installed beside the harness, by backend. What another interpreter
    has is known only when a cell ran there; the row's receipt says it."""
    study_text: str = ""
    seed: int = 0
    """Of the random order of cells and rounds."""
    command: str = ""
    label: str = ""
    """What its user called it; what was measured under another label does not count as done."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the machine is: processor, memory, system."""
    started: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A row with what the store knows of it besides."""

    row: Row
    run: str
    code: str
    plugin: str
    label: str
    attempt: int
    """Counted from 1; the newest one counts."""
