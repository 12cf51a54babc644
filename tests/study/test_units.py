from __future__ import annotations

import pytest

from harness import RequestError
from harness.study import units


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h 2m 3s", 3723), ("7", 7), ("0.5h", 1800)]
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert units.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "x", "1d", "-5s", "1m1m", "1s1m", "inf", "1e3s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="is no duration"):
        units.seconds(text)


@pytest.mark.parametrize(
    ("text", "size"), [("4 GiB", 4 * 2**30), ("500MB", 500 * 10**6), ("1.5 KiB", 1536), ("12 B", 12)]
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert units.size(text) == size


@pytest.mark.parametrize("text", ["", "4", "GiB", "4 gib", "-4 GiB", "4 GiB more"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="is no size"):
        units.size(text)


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_a_duration_is_spoken_for_people(seconds: float, spoken: str) -> None:
    assert units.spoken(seconds) == spoken
