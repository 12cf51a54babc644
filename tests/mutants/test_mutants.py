"""The suite tested: it passes what is right, and every mutant is killed by the check that it names, with its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from bad_manners import Leaky
from mutant_backends import MUTANTS, Mutant
from threadpoolctl import threadpool_limits

from harness import BackendSpec, library_threads
from harness.conformance import child, target, uninstalled


@pytest.fixture(autouse=True)
def _one_library_thread() -> Iterator[None]:
    """What the environment does for a checking process."""
    with threadpool_limits(1):
        yield


def run(name: str, *, word: str = "", level: str = "quick", workers: int = 1) -> dict[str, Any]:
    request = {"backend": name, "options": {}, "workers": workers, "level": level, "word": word}
    return child.main({**request, "known": {}, "done": [], "seconds": None})


def failures(answer: dict[str, Any]) -> list[str]:
    return [f"{result['name']}: {result['text']}" for result in answer["results"] if result["outcome"] == "failed"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["Good", "Ticklish"])
def test_a_right_backend_passes_every_check(name: str, workers: int) -> None:
    answer = run(f"good_backend:{name}", level="full", workers=workers)
    assert not failures(answer)
    assert len(answer["results"]) > 150


def test_there_are_many_mutants_and_each_is_another() -> None:
    assert len({mutant.cls for mutant in MUTANTS}) == len(MUTANTS) >= 30


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.cls.__name__)
def test_every_mutant_is_killed_by_the_check_that_it_names(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uninstalled, "after_import", described)
    try:
        answer = run(f"mutant_backends:{mutant.cls.__name__}", word=mutant.check, workers=mutant.workers)
    finally:
        while Leaky.leaked:
            Leaky.leaked.pop()()
    found = failures(answer)
    assert found, f"{mutant.cls.__name__} survives {mutant.check}"
    assert any(re.search(mutant.says, text) for text in found), "\n".join(found)
    assert all(text.startswith(mutant.check) for text in found)


def described(path: str, cls: type) -> BackendSpec:
    """Say of every mutant what a plugin says, whatever the class itself says; one has an option too many."""
    table = {"mode": ("plain", "fancy")} if cls.__name__ == "OptionOnlyInTheSpec" else {}
    return BackendSpec(
        api=1, name="mutant", implementation=path, summary="a wrong backend", parallel="none", algebra="blas",
        options=table, environment=library_threads,
    )  # fmt: skip


def test_a_failure_says_how_to_repeat_exactly_that_check() -> None:
    answer = run("mutant_backends:GradientTwice", word="a_net_may_be_deep")
    failed = next(result for result in answer["results"] if result["outcome"] == "failed")
    found = target.load("mutant_backends:GradientTwice", {}, 1, "quick")
    assert failed["repeat"] == found.repeat(failed["name"])
    again = run("mutant_backends:GradientTwice", word=failed["name"])
    assert [result["name"] for result in again["results"]] == [failed["name"]]
    assert again["results"][0]["text"] == failed["text"]
