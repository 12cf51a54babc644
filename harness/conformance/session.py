"""``Session``: one configuration in a process of its own, which is started again if a check has ended it."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.conformance.configuration import Configuration, Level, reason_for
from harness.conformance.verdict import CheckResult
from harness.contract.spec import BackendSpec
from harness.errors import RequestError
from harness.machine.launch import launch
from harness.machine.process import Ended, Limits, Start, run

STARTS = 4
"""How often one configuration is started, at most; then a backend that always ends its process is given up."""
WHOLE = 3600.0
"""Seconds that all checks of one configuration may take together."""
LAST = 4
"""Lines of standard error that are shown for a process that ended."""


@dataclass
class Session:
    """The check of one configuration; ``run`` fills in what it finds."""

    name: str
    spec: BackendSpec
    configuration: Configuration
    level: Level
    word: str
    known: Mapping[str, str]
    seconds: float
    progress: Callable[[str], None]
    refusal: str | None = None
    """Why this configuration cannot be checked, if it cannot."""
    kind: str = ""
    """``Unsupported`` or ``Unavailable``, if there is a refusal."""
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What checks have written down, by the name of the check."""
    _results: list[CheckResult] = field(default_factory=list)
    _began: dict[str, Any] = field(default_factory=dict)
    _clock: float = 0.0

    def run(self) -> list[CheckResult]:
        """Run every check and return the results. A check that crashes or hangs has failed, and the others go on."""
        for _ in range(STARTS):
            ended = self._start()
            answer = ended.message
            if answer is not None:
                self._answered(answer)
                self._other_ranks(ended)
                return self._results
            self._fell(ended)
        self._add("the_rest_of_the_checks", "contract", "failed", f"not run: the process ended {STARTS} times")
        return self._results

    def _start(self) -> Ended:
        how = launch(self.spec, self.configuration.workers, dict(self.configuration.options))
        return run(
            Start(
                module="harness.conformance.child",
                request={
                    "backend": self.name,
                    "options": dict(self.configuration.options),
                    "workers": self.configuration.workers,
                    "level": self.level,
                    "word": self.word,
                    "known": dict(self.known),
                    "done": [result.name for result in self._results],
                    "seconds": self.seconds,
                },
                environment=how.environment,
                words=how.words,
                cpus=how.cpus,
                limits=Limits(seconds=WHOLE),
            ),
            on_message=self._news,
        )

    def _news(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "began":
            self._began, self._clock = dict(message), time.monotonic()
            self.progress(f"{self.configuration}: {message['name']}")
        elif message["type"] == "ended" and message["name"] not in {result.name for result in self._results}:
            self._began = {}
            self.properties[message["name"]] = message.get("properties", {})
            self._add(message["name"], message["part"], message["outcome"], message.get("text", ""), message["seconds"])

    def _answered(self, answer: Mapping[str, Any]) -> None:
        if "request" in answer:
            raise RequestError(f"{self.name}: {answer['request']}")
        if "refusal" in answer:
            self.refusal, self.kind = answer["refusal"], answer.get("kind", "")
            self._results = []
            self._add("this_configuration_can_run", "contract", "not applicable", answer["refusal"])
        if "broken" in answer:
            self._add("the_class_can_be_imported", "contract", "failed", answer["broken"])

    def _other_ranks(self, ended: Ended) -> None:
        """Add a failed result if a rank other than 0 failed; it says so by its exit code and on standard error."""
        if self.spec.launcher and (ended.exit_code or ended.state != "ended"):
            text = f"a rank other than 0 failed ({ended.reason or f'exit code {ended.exit_code}'}){_tail(ended.stderr)}"
            self._add("every_rank_passes", "contract", "failed", text)

    def _fell(self, ended: Ended) -> None:
        """Add a result for a process that ended without an answer: the check that was running has failed."""
        took = time.monotonic() - self._clock
        if ended.exit_code == 1 and re.search(r"^Timeout \(\d", ended.stderr, re.MULTILINE):
            cause = f"did not end within {self.seconds:g} s"
        elif ended.signal:
            cause = f"ended the process by {ended.signal}"
        else:
            cause = f"ended the process: {ended.reason or f'exit code {ended.exit_code}'}"
        name, part = self._began.get("name", "the_process_starts"), self._began.get("part", "contract")
        reason = reason_for(self.known, name, str(self.configuration))
        text = f"{cause}{_tail(ended.stderr)}"
        self._add(name, part, "known failure" if reason else "failed", reason or text, took)
        self._began = {}

    def _add(self, name: str, part: str, outcome: Any, text: str = "", seconds: float = 0.0) -> None:
        configuration = str(self.configuration)
        repeat = shlex.join(
            ["harness", "check", self.name, *self.configuration.words(), "--level", self.level, "-k", name]
        )
        self._results.append(CheckResult(name, part, configuration, outcome, text, repeat, seconds))


def _tail(errors: str) -> str:
    """Return where Python stood when it was ended, if that was printed, else the last lines of standard error."""
    lines = [line for line in errors.splitlines() if line.strip()]
    heads = [index for index, line in enumerate(lines) if line.endswith("(most recent call first):")]
    current = [index for index in heads if lines[index].startswith("Current thread")]
    if heads:
        begin = (current or heads)[-1] + 1
        return "".join(f"\n{line}" for line in lines[begin : begin + LAST])
    return "".join(f"\n{line}" for line in lines[-LAST:])
