from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import RequestError
from harness.contract.registry import registry
from harness.study.catalogue import backends_of

Script = Callable[[str], str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Make something executable that stands in for an interpreter; a path of its own each time, as answers are kept."""

    def make(body: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_another_interpreter_describes_its_backends_as_this_one_knows_them() -> None:
    found, here = backends_of(sys.executable), registry().backends
    assert found.keys() == here.keys()
    for name, spec in found.items():
        assert dict(spec.options) == dict(here[name].options)
        assert (spec.parallel, spec.algebra, spec.summary) == (
            here[name].parallel,
            here[name].algebra,
            here[name].summary,
        )


ANSWERS = [
    ("echo '[]'; exit 3", "cannot list its backends (no message)"),
    ("echo boom >&2; exit 1", "cannot list its backends (boom)"),
    ("echo hello", "does not answer as a harness does"),
    ("echo '3'", "does not answer as a harness does"),
    ("echo '[{}]'", "does not answer as a harness does"),
    ('echo \'[{"name": "A B", "summary": "s", "parallel": "none", "algebra": "blas", "options": {}}]\'', "A B"),
    ("printf '\\377'", "does not answer as a harness does"),
]


@pytest.mark.parametrize(("body", "cause"), ANSWERS)
def test_what_does_not_answer_as_a_harness_is_refused_with_the_cause(script: Script, body: str, cause: str) -> None:
    with pytest.raises(RequestError) as caught:
        backends_of(script(body))
    assert cause in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_answer_that_never_comes_is_not_waited_for(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.study.catalogue.PATIENCE", 0.2)
    with pytest.raises(RequestError, match=r"did not list its backends within 0\.2 s"):
        backends_of(script("exec sleep 30"))
