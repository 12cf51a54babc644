from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from harness.report.content import content
from harness.report.page import fingerprint, inline, page, script_data
from tests.report import made
from tests.samples import a_cell, a_lost_row, a_row

LARGEST = 3_000_000
VOID = {"meta", "input", "br", "link"}


class Elements(HTMLParser):
    """What a parser makes of a page: its elements with their attributes, its words, and whether all were closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def attributes(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.found if name in attributes]


@pytest.fixture(scope="module")
def source() -> str:
    return page(made.rows(), made.specs(), title=f"Report of {made.SCRIPT}")


@pytest.fixture(scope="module")
def parsed(source: str) -> Elements:
    return Elements(source)


def test_five_hundred_rows_and_their_receipts_stay_under_three_megabytes(source: str) -> None:
    assert len(made.rows()) >= 500
    assert 900_000 < len(source.encode()) < LARGEST


def test_the_page_is_one_whole_document_that_refers_to_nothing_outside(parsed: Elements) -> None:
    assert parsed.open == []
    assert parsed.attributes("src") == []
    assert all(target and target.startswith("#") for target in parsed.attributes("href"))
    assert not [tag for tag, _ in parsed.found if tag in ("link", "iframe", "object", "base", "img")]


def test_the_policy_allows_the_pages_own_two_scripts_and_no_request(source: str, parsed: Elements) -> None:
    policy = next(
        attributes["content"] for tag, attributes in parsed.found if tag == "meta" and "http-equiv" in attributes
    )
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    scripts = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    assert rules["script-src"].split() == [fingerprint(code) for code in scripts]
    assert "unsafe" not in rules["script-src"]
    assert not rules.keys() & {"connect-src", "font-src", "frame-src"}


def test_no_element_has_a_handler_and_no_name_became_markup(parsed: Elements) -> None:
    assert not [name for _, attributes in parsed.found for name in attributes if name.startswith("on")]
    assert sum(tag == "script" for tag, _ in parsed.found) == 3


def test_marks_that_turn_text_around_are_spelt_out(source: str) -> None:
    assert not set("\u202e\u2067\u2028\u2029\x1b\x00") & set(source)
    assert "\\u202egnp.exe" in source


def test_charts_get_their_names_as_data(source: str) -> None:
    charts = re.search(r'<script id="charts" type="application/json">(.*?)</script>', source, re.DOTALL)
    assert charts is not None
    assert not set("<>&") & set(charts[1])
    specs = json.loads(charts[1])
    labels = {datum.get("name") for spec in specs.values() for datum in spec["data"]["values"]}
    assert {made.SCRIPT, made.FIELD} <= labels


def test_the_page_says_it_in_order(parsed: Elements) -> None:
    text = "".join(parsed.words)
    order = ["times as fast as the next", "cells fell short", "How long does one epoch take?", "Show what contains"]
    places = [text.index(words) for words in [*order, "Receipts of its cells"]]
    assert places == sorted(places)


def test_equal_rows_make_an_equal_page(source: str) -> None:
    assert page(made.rows(), made.specs(), title=f"Report of {made.SCRIPT}") == source


def test_every_state_is_counted_and_every_reason_told() -> None:
    told = content(made.rows(), made.specs(), title="")
    assert told.notices[0].startswith("14 of 114 cells fell short: ")
    assert "2 unsupported, 2 unavailable" in told.notices[1]
    assert {line.state for line in told.cells.lines} == {"ok", *made.STATES}
    assert len(told.reasons) == 2 * len(made.STATES)
    why = {line.state: line.fields[-1].text for line in told.cells.lines if not line.fine}
    assert all(why.values())


def test_receipts_say_once_what_is_common_and_for_each_cell_what_is_its_own() -> None:
    rows = [
        a_row(a_cell(workers=workers), receipt={"threads": {"asked": workers}, "hardware": {"cpu": "a processor"}})
        for workers in (1, 2)
    ]
    told = content(rows, {}, title="")
    assert told.receipts[0].common == (("hardware / cpu", "a processor"),)
    assert [cell.facts for cell in told.receipts[0].cells] == [(("threads / asked", "1"),), (("threads / asked", "2"),)]
    assert told.machines[0].facts == (("cpu", "a processor"),)


def test_a_boundless_receipt_is_cut() -> None:
    huge = {f"key {i}": "x" * 10_000 for i in range(10_000)}
    told = page([a_row(receipt={"backend": huge}), a_row(turn=2)], {}, title="x")
    assert len(told) < 1_100_000
    assert "more: harness export has all" in told


def test_rows_that_all_failed_make_a_page() -> None:
    told = Elements(page([a_lost_row(), a_lost_row(turn=2)], {}, title="x"))
    text = "".join(told.words)
    assert "No cell has a time." in text
    assert "1 of 1 cells fell short: 1 crashed" in text
    assert "ended by signal 11" in text


def test_one_round_makes_a_page_without_claims() -> None:
    rows = [a_row(a_cell(backend=name), epoch_seconds=(time,)) for name, time in (("fused", 0.1), ("jax", 0.2))]
    text = "".join(Elements(page(rows, made.specs(), title="x")).words)
    assert "too few rounds in common" in text
    assert "2 of 2 cells have fewer than 3 rounds" in text
    assert "times as fast" not in text


@pytest.mark.parametrize("figure", [math.nan, math.inf, None, 0.0, -1.0])
def test_figures_that_are_none_make_a_page(figure: Any) -> None:
    given = dict.fromkeys(("gflops", "peak_share", "accuracy", "first_epoch_seconds"), figure)
    rows = [a_row(turn=turn, epoch_seconds=() if figure is None else (figure,), **given) for turn in range(3)]
    assert "No cell has a time." in page(rows, {}, title="x")
    assert Elements(page([*rows, *made.rows()[:5]], {}, title="x")).open == []


def test_code_that_would_end_its_own_element_is_refused() -> None:
    with pytest.raises(ValueError, match="end its own script element"):
        inline("const a = '</SCRIPT>';")


def test_data_in_a_script_survives_a_round_trip() -> None:
    value = {"</script><!--": ["\u2028 & <b>", math.nan, 1.5]}
    text = script_data(value)
    assert text.isascii()
    assert not set("<>&\n") & set(text)
    assert json.loads(text) == {"</script><!--": ["\u2028 & <b>", None, 1.5]}


def test_a_column_that_says_the_same_of_every_cell_is_left_out() -> None:
    rows = [a_row(a_cell(workers=workers)) for workers in (1, 2)]
    assert not {"network and data", "machine", "why"} & set(content(rows, {}, title="").cells.columns)
    assert content([*rows, a_lost_row(a_cell(workers=3))], {}, title="").cells.columns[-1] == "why"
    assert content([*rows, a_row(machine="other")], {}, title="").cells.columns[-1] == "machine"
