from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße, 世界", "Grüße, 世界"),
        ("two\r\nlines\tand  spaces ", "two lines and spaces"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        (ValueError("an error\n"), "an error"),
    ],
)
def test_nothing_that_steers_a_terminal_is_left(text: object, shown: str) -> None:
    assert clean(text) == shown
    assert clean(text).isprintable()


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    assert clean(text).isprintable()
    assert clean(clean(text)) == clean(text)


@given(st.text().filter(str.isprintable))
def test_what_prints_is_kept_but_for_its_spaces(text: str) -> None:
    assert clean(text).split() == text.split()
