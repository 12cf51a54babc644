"""An axis of 10,000 values is read in linear time: comparisons and searches are counted, no clock is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.study.axes import DEFAULTS, readers
from harness.study.document import Document, Positions
from harness.study.reader import TOLD, Reader
from tests.study.told import CATALOGUE, ONE, problems, read

MANY = 10_000


class Counted:
    """A value that counts how often it is compared with another."""

    comparisons = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return isinstance(other, Counted) and other.number == self.number


def test_ten_thousand_values_cost_at_most_a_comparison_each(tmp_path: Path) -> None:
    reader = Reader(Document(ONE, "mine.toml", tmp_path))
    Counted.comparisons = 0
    got = reader.axis(Counted, ("seed",), list(range(MANY)))
    reader.finish()
    assert [value.number for value in got] == list(range(MANY))
    assert Counted.comparisons <= MANY


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_the_value_of_every_axis_has_a_hash(name: str) -> None:
    value: Any = readers(CATALOGUE)[name](DEFAULTS[name])
    assert hash(value) == hash(readers(CATALOGUE)[name](DEFAULTS[name]))


def test_equal_datasets_are_still_found_to_be_repeated(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, 'dataset = [{name = "synthetic", rows = 8, inputs = 2}, {inputs = 2, rows = 8, '
                       'name = "synthetic"}]\n' + ONE)  # fmt: skip
    assert told.endswith("stands here twice; remove one")


def test_ten_thousand_values_are_a_study(tmp_path: Path) -> None:
    assert len(read(tmp_path, f"seed = {list(range(MANY))}\n" + ONE).seed) == MANY


def test_ten_thousand_problems_are_counted_and_only_the_first_are_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = 0
    search = Positions.line

    def counted(self: Positions, path: Any, value: object = None) -> int | None:
        nonlocal searches
        searches += 1
        return search(self, path, value)

    monkeypatch.setattr(Positions, "line", counted)
    told = problems(tmp_path, f"batch = [{', '.join(['-1'] * MANY)}]\n" + ONE)
    assert searches <= 2 * TOLD
    assert len(told) == TOLD + 1
    assert told[-1] == f"mine.toml: and {MANY - TOLD} more problems"
