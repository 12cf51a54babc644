"""``Verdict``: what all checks of all configurations came to, in one line, in full and as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.contract.vocabulary import API
from harness.errors import HarnessError

Outcome = Literal["passed", "failed", "not applicable", "known failure"]
SHOWN = 12
"""Failures shown in full on a terminal; ``--json`` and ``--junit`` have all."""


@dataclass(frozen=True)
class Result:
    """One check in one configuration."""

    name: str
    part: str
    """``contract``, ``numbers`` or ``manners``."""
    configuration: str
    outcome: Outcome
    text: str = ""
    """What differed, where, by how much and what was allowed; or the reason why it does not apply."""
    repeat: str = ""
    """The one command that runs exactly this check again."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The results of every check; true where nothing failed and something passed."""

    backend: str
    level: str
    results: tuple[Result, ...]

    def __bool__(self) -> bool:
        """Return whether the backend conforms as far as it was checked."""
        return not self.counts["failed"] and self.counts["passed"] > 0

    @property
    def counts(self) -> Counter[str]:
        """How many checks ended in each outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def failures(self) -> list[Result]:
        """The checks that failed."""
        return [result for result in self.results if result.outcome == "failed"]

    @property
    def line(self) -> str:
        """The verdict on one line."""
        return f"{self.backend}: api {API}, level {self.level}, {', '.join(self._parts())}"

    def _parts(self) -> list[str]:
        parts = [f"{len(self.results)} checks"]
        for outcome, label in (("passed", "passed"), ("failed", "FAILED"), ("known failure", "known to fail")):
            if self.counts[outcome] or outcome == "passed":
                parts.append(f"{self.counts[outcome]} {label}{self._reasons(outcome)}")
        if self.counts["not applicable"]:
            parts.append(f"{self.counts['not applicable']} not applicable{self._reasons('not applicable')}")
        return parts

    def _reasons(self, outcome: str) -> str:
        if outcome not in ("not applicable", "known failure"):
            return ""
        reasons = Counter(result.text for result in self.results if result.outcome == outcome)
        shown = [reason for reason, _ in reasons.most_common(3)]
        more = f"; and {len(reasons) - 3} more reasons" if len(reasons) > 3 else ""
        return f" ({'; '.join(shown)}{more})"

    def __str__(self) -> str:
        """Return the failures, each with the command that repeats it, and the line."""
        failures = self.failures
        blocks = [_block(result) for result in failures[:SHOWN]]
        if len(failures) > SHOWN:
            blocks.append(f"and {len(failures) - SHOWN} more failures; --json or --junit lists all\n")
        if not self.results:
            blocks.append("no check ran: does the word after -k stand in the name of any?\n")
        elif not self.counts["passed"]:
            blocks.append("nothing passed, so nothing is known of this backend\n")
        return "\n".join([*blocks, self.line])

    def to_json(self) -> dict[str, Any]:
        """Return plain data for programs."""
        return {
            "schema_version": 1,
            "backend": self.backend,
            "api": API,
            "level": self.level,
            "conforms": bool(self),
            "verdict": self.line,
            "counts": dict(self.counts),
            "checks": [asdict(result) for result in self.results],
        }


def _block(result: Result) -> str:
    text = "\n".join(f"    {line}" for line in result.text.splitlines())
    return f"FAILED {result.name} ({result.configuration})\n{text}\n    repeat: {result.repeat}\n"


class NotConforming(HarnessError, AssertionError):  # noqa: N818  what pytest shows first: an outcome, not a fault
    """A backend fell short; ``verdict`` has every result."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"\n{verdict}")
        self.verdict = verdict
