from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.datasets import load_dataset
from harness.plan.cell import Cell
from harness.worker.parity import cache, truth
from harness.worker.parity.truth import flat
from harness.worker.problem import Problem, prepare

Build = Callable[..., Problem]


@pytest.fixture
def problem(cell: Callable[..., Cell]) -> Build:
    def build(**settings: Any) -> Problem:
        asked = cell(**settings)
        data = load_dataset(asked.dataset, asked.dataset_options)
        return prepare(asked, data.x_train, data.y_train)

    return build


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """Every problem whose truth was really computed."""
    done: list[Problem] = []

    def compute(asked: Problem, count: int) -> Any:
        done.append(asked)
        return truth.compute(asked, count)

    monkeypatch.setattr(cache, "compute", compute)
    return done


def only_file() -> Path:
    (path,) = cache.folder().iterdir()
    return path


def same(one: Any, other: Any) -> bool:
    pairs = zip((*flat(one[0]), *flat(one[1])), (*flat(other[0]), *flat(other[1])), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_the_second_worker_reads_what_the_first_computed(problem: Build, computed: list[Problem]) -> None:
    first, trouble = cache.fetch(problem())
    second, _ = cache.fetch(problem(backend="another"))
    assert not trouble
    assert len(computed) == 1
    assert same(first, second)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        lambda path: path.write_bytes(bytes(reversed(path.read_bytes()))),
        lambda path: np.savez(path, weights0=np.ones(3)),
        lambda path: np.savez(path, weights0=np.array([{"a": 1}], dtype=object)),
        lambda path: path.write_bytes(flipped(path.read_bytes())),
    ],
    ids=["empty", "cut", "reversed", "other shapes", "objects", "one bit"],
)
def test_a_damaged_file_is_computed_again(
    problem: Build, computed: list[Problem], damage: Callable[[Path], object]
) -> None:
    first, _ = cache.fetch(problem())
    damage(only_file())
    second, trouble = cache.fetch(problem())
    assert (len(computed), trouble) == (2, "")
    assert same(first, second)
    cache.fetch(problem())
    assert len(computed) == 2, "the damaged file was not replaced"


def flipped(content: bytes) -> bytes:
    middle = len(content) // 3
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": 4},
        {"rate": 0.25},
        {"batch": 33},
        {"init": "uniform01"},
        {"shuffle": True},
        {"options": {"precision": "tf32"}},
        {"dataset_options": {"rows": 301, "inputs": 64, "outputs": 10}},
    ],
    ids=str,
)
def test_every_setting_that_matters_is_in_the_key(problem: Build, settings: dict[str, Any]) -> None:
    assert cache.key(problem(**settings)) != cache.key(problem())


@pytest.mark.parametrize("settings", [{"backend": "b"}, {"workers": 2}, {"epochs": 9}, {"study": "s"}], ids=str)
def test_what_does_not_matter_is_shared(problem: Build, settings: dict[str, Any]) -> None:
    assert cache.key(problem(**settings)) == cache.key(problem())


def test_one_other_value_in_the_data_is_another_key(problem: Build) -> None:
    one = problem()
    x = one.x.copy()
    x[-1, -1] += 1
    assert cache.key(dataclasses.replace(one, x=x)) != cache.key(one)


def test_a_folder_that_cannot_be_written_is_a_warning(
    problem: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found, trouble = cache.fetch(problem())
    assert truth.finite(found)
    assert "cannot be written" in trouble


def test_writers_at_the_same_time_leave_one_whole_file(problem: Build) -> None:
    one = problem()
    threads = [threading.Thread(target=cache.fetch, args=(one,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only_file().name == f"{cache.key(one)}.npz"
    assert same(cache.fetch(one)[0], truth.compute(one, 1))


def test_the_longest_unused_go_first(problem: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        cache.fetch(problem(seed=seed))
        os.utime(cache.folder() / f"{cache.key(problem(seed=seed))}.npz", (seed, seed))
    monkeypatch.setattr(cache, "LIMIT", 2 * only_size() + 10)
    cache.fetch(problem(seed=3))
    left = {path.stem for path in cache.folder().iterdir()}
    assert left == {cache.key(problem(seed=seed)) for seed in (2, 3)}


def only_size() -> int:
    return max(path.stat().st_size for path in cache.folder().iterdir())


def test_other_numbers_of_epochs_are_other_files(problem: Build, computed: list[Problem]) -> None:
    one, four = (cache.fetch(problem(), count)[0] for count in (1, 4))
    assert not same(one, four)
    assert same(four, cache.fetch(problem(), 4)[0])
    assert len(computed) == 2
