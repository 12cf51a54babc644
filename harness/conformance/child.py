"""The checking process: one configuration, started as a cell is; every rank of a launcher runs this."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.conformance import target
from harness.conformance.recorder import Recorder, Tell
from harness.errors import HarnessError, RequestError, Unavailable, Unsupported

HERE = Path(__file__).parent
PLUGIN = "harness.conformance.plugin"


def main(request: Mapping[str, Any], tell: Tell = lambda _: None) -> dict[str, Any]:
    """Check one configuration; return ``results``, or why there are none: ``refusal``, ``request`` or ``broken``.

    The request has ``backend, options, workers, level, word, known, done, seconds``; ``tell`` gets every check as it
    begins and ends. ``rank`` is in the answer as well.
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
        recorder = Recorder(tell, done=request["done"], seconds=request["seconds"], errors=errors)
        code = pytest.main(_words(request), plugins=[recorder])
    return _answer(recorder, int(code))


def _answer(recorder: Recorder, code: int) -> dict[str, Any]:
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
    """Yield a descriptor of the real standard error, which pytest's capturing hides while a check runs."""
    errors = os.dup(2)
    try:
        yield errors
    finally:
        os.close(errors)


@contextmanager
def _without_other_plugins() -> Iterator[None]:
    """Keep pytest plugins that happen to be installed, and settings of another pytest, out of the verdict."""
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


def serve(receive: Callable[[], dict[str, Any]], deliver: Tell) -> None:
    """Answer the request of the process that started this one; a rank other than 0 only says if it failed."""
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
