"""What ``run`` is asked (``Start`` with its ``Limits``) and what it answers (``Ended``)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["ended", "timeout", "out-of-memory", "crashed", "interrupted"]
"""How a child came to its end: by itself, by a limit, by a signal that the harness did not send, or by ``stop``."""


@dataclass(frozen=True)
class Limits:
    """What a child and all its descendants together may use."""

    seconds: float
    """Wall clock from the start of the child to the end of the last of its processes."""
    memory_bytes: int | None = None
    """Resident memory of all processes together; ``None``: no limit."""
    linger: float = 5.0
    """Seconds that a child may go on after it has delivered its result; then it is ended and the result counts."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """One child to run: ``words... python -P -m module``, with ``request`` for ``process.child.receive``."""

    module: str
    request: Mapping[str, Any]
    """Plain data for JSON."""
    environment: Mapping[str, str]
    """Complete: nothing is added but the harness's own ``HARNESS_CHANNEL`` and ``HARNESS_GUARD``."""
    limits: Limits
    words: tuple[str, ...] = ()
    """A launcher put before the command line; every rank receives the request, one should deliver."""
    cpus: frozenset[int] | None = None
    """The only CPUs that the child and its descendants may use."""
    python: str = field(default_factory=lambda: sys.executable)
    """The interpreter; another one needs ``harness`` installed and nothing else in common."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the child ended. No descendant of it is alive any more."""

    state: State
    reason: str = ""
    """One sentence where the child did not end by itself, or could not be started."""
    exit_code: int | None = None
    signal: str | None = None
    """The name of the signal that ended the child, such as ``SIGSEGV``."""
    message: dict[str, Any] | None = None
    """The last message without a ``"type"`` that the child delivered: its result."""
    stderr: str = ""
    """The last lines that all its processes printed to standard error."""
    stdout: str = ""
    """The last lines that all its processes printed to standard output; for people, never parsed."""
    seconds: float = 0.0
    peak_bytes: int | None = None
    """Largest resident memory of all its processes together, memory that they share counted once."""
    cpu_seconds: float = 0.0
    """User and system time of the child and of all its descendants."""
    warnings: tuple[str, ...] = ()
    """What was out of order though the child ended by itself, one sentence each."""
