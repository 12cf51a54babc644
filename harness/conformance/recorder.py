"""A pytest plugin for the checking process: says which check runs, ends one that hangs, keeps what came out."""

from __future__ import annotations

import faulthandler
from collections.abc import Callable, Collection, Generator, Mapping
from typing import Any

import pytest

from harness.conformance.plugin import TRIAL, check_name, ours, part_of
from harness.conformance.target import Trial

Tell = Callable[[dict[str, Any]], None]


class Recorder:
    """Hands every result to ``tell`` as soon as it is there, so that a crash loses none; rank 0 alone does."""

    def __init__(self, tell: Tell, *, done: Collection[str], seconds: float | None, errors: int) -> None:
        self.results: list[dict[str, Any]] = []
        self.trial = Trial(None, 0)
        self.broken = ""
        """Why the checks could not be collected at all."""
        self._tell = tell
        self._done = set(done)
        self._seconds = seconds
        self._errors = errors

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what ran before the process had to be started again."""
        items[:] = [item for item in items if ours(item) and check_name(item) not in self._done]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file of checks could not be read."""
        if report.failed:
            self.broken = str(report.longrepr)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        """Announce a check and give it its time: what hangs ends the process, wherever it hangs."""
        self._current: dict[str, Any] = {"name": check_name(item), "part": part_of(item), "seconds": 0.0}
        if self.trial.rank == 0:
            self._tell({"type": "began", **self._current})
        if self._seconds is not None:
            faulthandler.dump_traceback_later(self._seconds, exit=True, file=self._errors)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()
            self.trial = item.config.stash.get(TRIAL, self.trial)
            if self.trial.rank == 0:
                self._tell({"type": "ended", **self._current})
            self.results.append(self._current)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of set-up, call and clean-up."""
        result = self._current
        result["seconds"] += report.duration
        if report.failed:
            result.update(outcome="failed", text=_failure(report), repeat=dict(report.sections).get("repeat", ""))
        elif result.get("outcome") == "failed":
            pass
        elif report.skipped:
            result.update(_skipped(report))
        elif report.when == "call":
            result.update(outcome="passed", properties=dict(report.user_properties))


def _skipped(report: pytest.TestReport) -> Mapping[str, str]:
    if hasattr(report, "wasxfail"):
        return {"outcome": "known failure", "text": report.wasxfail}
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return {"outcome": "not applicable", "text": reason.removeprefix("Skipped: ")}


def _failure(report: pytest.TestReport) -> str:
    text = report.longreprtext.strip()
    if text.startswith("[XPASS(strict)] "):
        return (
            f"passes, but is named as a known failure ({text.removeprefix('[XPASS(strict)] ')}): take it off the list"
        )
    return text if report.when != "teardown" else f"when the check was over: {text}"
