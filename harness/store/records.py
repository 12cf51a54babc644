"""Records that a store keeps beside rows: ``Run``, the call that measured, and ``Stored``, a row with its origin."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.runner.row import Row

Again = Literal["", "failed", "all"]
"""Which cells to measure again: none, those that failed or were unavailable, or all."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One call of ``harness run``, with everything that its rows have in common."""

    study: str
    machine: str
    code: str
    """Identity of the measuring code, from ``harness.store.identity``."""
    plugins: Mapping[str, str] = field(default_factory=dict)
    """The identity of each backend's plugin as it is installed beside the harness, by name of the backend.

    Which plugin another interpreter has is known only after a cell ran there; then the row's receipt says it."""
    study_text: str = ""
    seed: int = 0
    """The seed of the random order of cells and rounds."""
    command: str = ""
    label: str = ""
    """The name that the user gave to this run. Rows with another label do not count as done."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts about the machine: processor, cores, memory."""
    started: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A row, and which run, code, plugin and label it belongs to."""

    row: Row
    run: str
    code: str
    plugin: str
    label: str
    attempt: int
    """The number of this attempt, counted from 1. The last attempt counts."""
