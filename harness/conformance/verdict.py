"""``Verdict``: the results of all checks of all configurations as one line, in full, as data and as JUnit XML."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

from harness.contract.vocabulary import API
from harness.errors import HarnessError, RequestError

Outcome = Literal["passed", "failed", "not applicable", "known failure"]
SHOWN = 12
"""Failures that are shown in full on a terminal, at most; ``--json`` and ``--junit`` have all of them."""


@dataclass(frozen=True)
class CheckResult:
    """One check in one configuration."""

    name: str
    part: str
    """``contract``, ``numbers`` or ``manners``."""
    configuration: str
    outcome: Outcome
    text: str = ""
    """What differed, where, by how much and what was allowed; or the reason why the check does not apply."""
    repeat: str = ""
    """The command that runs exactly this check again."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The results of every check. It is true if no check failed and at least one passed."""

    backend: str
    level: str
    results: tuple[CheckResult, ...]

    def __bool__(self) -> bool:
        """Return whether the backend conforms, as far as it was checked."""
        return not self.counts["failed"] and self.counts["passed"] > 0

    @property
    def counts(self) -> Counter[str]:
        """How many checks ended in each outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def failures(self) -> list[CheckResult]:
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
        """Return the failures, each with the command that repeats it, and then the line."""
        failures = self.failures
        blocks = [_block(result) for result in failures[:SHOWN]]
        if len(failures) > SHOWN:
            blocks.append(f"and {len(failures) - SHOWN} more failures; --json or --junit lists all\n")
        if not self.results:
            blocks.append("no check ran: is the word after -k part of a name?\n")
        elif not self.counts["passed"]:
            blocks.append("no check passed, so nothing is known about this backend\n")
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


def _block(result: CheckResult) -> str:
    text = "\n".join(f"    {line}" for line in result.text.splitlines())
    return f"FAILED {result.name} ({result.configuration})\n{text}\n    repeat: {result.repeat}\n"


class NotConforming(HarnessError, AssertionError):  # noqa: N818  pytest shows this name first, and it is an outcome
    """A backend does not conform; ``verdict`` has every result."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"\n{verdict}")
        self.verdict = verdict


TAGS = {"failed": "failure", "not applicable": "skipped", "known failure": "skipped"}
"""The element of JUnit's format for each outcome; a check that passed has none."""


def write_junit(verdict: Verdict, path: str) -> None:
    """Write a verdict as JUnit XML, one suite for each configuration; ``RequestError`` if that is impossible."""
    root = ET.Element("testsuites", name=verdict.line)
    for name in dict.fromkeys(result.configuration for result in verdict.results):
        _suite(root, verdict.backend, name, [result for result in verdict.results if result.configuration == name])
    try:
        Path(path).write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise RequestError(f"--junit {path}: {error.strerror}") from error


def _suite(root: ET.Element, backend: str, name: str, results: list[CheckResult]) -> None:
    failures = sum(result.outcome == "failed" for result in results)
    skipped = sum(result.outcome in ("not applicable", "known failure") for result in results)
    numbers = {"tests": str(len(results)), "failures": str(failures), "skipped": str(skipped), "errors": "0"}
    suite = ET.SubElement(root, "testsuite", {"name": f"{backend} {name}", **numbers})
    for result in results:
        where = {"classname": f"{backend}.{result.part}", "name": result.name, "time": f"{result.seconds:.3f}"}
        case = ET.SubElement(suite, "testcase", where)
        if result.outcome in TAGS:
            element = ET.SubElement(case, TAGS[result.outcome], message=_plain(result.text.split("\n")[0]))
            element.text = _plain(f"{result.text}\nrepeat: {result.repeat}")


def _plain(text: str) -> str:
    """Return the text without control characters, which XML cannot hold."""
    return "".join(letter for letter in text if letter in "\n\t" or ord(letter) >= 32)
