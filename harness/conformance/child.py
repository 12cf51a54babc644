"""The process that checks one configuration. It is started like a cell; each rank of a launcher runs this."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.conformance import target
from harness.conformance.plugin import TRIAL, check_name, ours, part_of
from harness.errors import HarnessError, RequestError, Unavailable, Unsupported

HERE = Path(__file__).parent
PLUGIN = "harness.conformance.plugin"

Tell = Callable[[dict[str, Any]], None]
"""Called with every message for the parent: a check begins, a check ends, or the answer."""


def main(request: Mapping[str, Any], tell: Tell = lambda _: None) -> dict[str, Any]:
    """Check one configuration; return ``results`` and ``rank``, or a reason as ``refusal``, ``request`` or ``broken``.

    The request has ``backend, options, workers, level, word, known, done, seconds``. ``tell`` is called when a check
    begins and when it ends.
    """
    try:
        tell({"type": "began", "name": "the_class_can_be_imported", "part": "contract"})
        target.load(request["backend"], request["options"], request["workers"], request["level"])
    except (Unavailable, Unsupported) as error:
        return _refused(target.Inability.of(error))
    except RequestError as error:
        return {"request": str(error)}
    except HarnessError as error:
        return {"broken": str(error)}
    with _errors() as errors, _without_other_plugins():
        recorder = CheckRecorder(tell, done=request["done"], seconds=request["seconds"], errors=errors)
        code = pytest.main(_words(request), plugins=[recorder])
    return _answer(recorder, int(code))


def _answer(recorder: CheckRecorder, code: int) -> dict[str, Any]:
    if recorder.trial.refusal is not None:
        return _refused(recorder.trial.refusal)
    if code == pytest.ExitCode.USAGE_ERROR:
        return {"request": "-k: not a word or an expression that pytest understands"}
    if recorder.broken or code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.INTERRUPTED):
        return {"broken": recorder.broken or f"pytest ended with {code}"}
    return {"results": recorder.results, "rank": recorder.trial.rank}


def _refused(refusal: target.Inability) -> dict[str, Any]:
    return {"refusal": refusal.reason, "kind": refusal.kind}


def _words(request: Mapping[str, Any]) -> list[str]:
    words = [str(HERE), "--rootdir", str(HERE), "-c", os.devnull, "-p", PLUGIN]
    for name in ("terminal", "cacheprovider", "faulthandler", "warnings", "debugging"):
        words += ["-p", f"no:{name}"]
    words += ["--harness-backend", request["backend"], "--harness-workers", str(request["workers"])]
    words += ["--harness-level", request["level"]]
    words += [f"-k{request['word']}"] if request["word"] else []
    for name, value in request["options"].items():
        words += ["--harness-options", f"{name}={value}"]
    for name, reason in request["known"].items():
        words += ["--harness-known", f"{name}={reason}"]
    return words


@contextmanager
def _errors() -> Iterator[int]:
    """Yield a descriptor of the real standard error, because pytest replaces it while a check runs."""
    errors = os.dup(2)
    try:
        yield errors
    finally:
        os.close(errors)


@contextmanager
def _without_other_plugins() -> Iterator[None]:
    """Keep other installed pytest plugins, and the settings of another pytest, from changing the verdict."""
    steering = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
    before = {name: os.environ.get(name) for name in steering}
    os.environ.update(steering)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class CheckRecorder:
    """A pytest plugin: announces each check, ends one that hangs, and keeps the results.

    On rank 0 it also gives every result to ``tell`` at once, so that a crash loses none.
    """

    def __init__(self, tell: Tell, *, done: Collection[str], seconds: float | None, errors: int) -> None:
        self.results: list[dict[str, Any]] = []
        self.trial = target.Trial(None, 0)
        self.broken = ""
        """Why the checks could not be collected, if they could not."""
        self._tell = tell
        self._done = set(done)
        self._seconds = seconds
        self._errors = errors

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out checks that ran before the process had to be started again."""
        items[:] = [item for item in items if ours(item) and check_name(item) not in self._done]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the reason if a file of checks could not be read."""
        if report.failed:
            self.broken = str(report.longrepr)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        """Announce a check and limit its time; a check that hangs ends the process, wherever it hangs."""
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
        """Keep the worst outcome of set-up, call and clean-up."""
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
        reason = text.removeprefix("[XPASS(strict)] ")
        return f"passes, but is named as a known failure ({reason}): remove it from the list"
    return text if report.when != "teardown" else f"after the check had ended: {text}"


def serve(receive: Callable[[], dict[str, Any]], deliver: Tell) -> None:
    """Receive a request, check, and deliver the answer.

    A rank other than 0 delivers nothing: it prints its failures to standard error and exits with 1 if there are any.
    """
    answer = main(receive(), deliver)
    if not answer.get("rank"):
        deliver(answer)
        return
    failed = [result for result in answer["results"] if result["outcome"] == "failed"]
    for result in failed:
        print(f"rank {answer['rank']}: {result['name']}: {result['text']}", file=sys.stderr)
    sys.exit(bool(failed))


if __name__ == "__main__":
    from harness.machine.process import child

    serve(child.receive, child.deliver)
