from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from harness.report.content import content
from harness.report.page import page, rendered
from tests.report import made
from tests.report.browser import Shown, programs, started

COLUMN = {"backend": 0, "workers": 1, "time per epoch": 3, "state": 10, "why": 13}
LUMINANCE = """
const light = (colour) => {
  const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
"""


STICKING_OUT = """return [...document.querySelectorAll('figure')].flatMap(f => {
  const room = f.getBoundingClientRect();
  return [...f.querySelectorAll('svg text')].filter(t =>
    t.getBoundingClientRect().right > room.right + 1 || t.getBoundingClientRect().left < room.left - 1);
}).map(t => t.textContent)"""
OVERLAPPING = """const groups = document.querySelectorAll('svg .role-axis-label, svg .role-legend-label');
return [...groups].flatMap(group => {
  const boxes = [...group.querySelectorAll('text')].filter(t => t.getAttribute('opacity') !== '0' && t.textContent)
    .map(t => [t.textContent, t.getBoundingClientRect()]);
  return boxes.filter(([name, a], i) => boxes.slice(i + 1).some(([other, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3))
    .map(([name]) => name);
})"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("page")
    path = folder / "report.html"
    programs()
    path.write_text(rendered(content(made.rows(), made.specs(), title=made.IMG)), encoding="utf-8")
    driver = started(folder / "profile")
    try:
        yield Shown(driver, path)
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def wide(shown: Shown) -> Shown:
    shown.open()
    return shown


def column(shown: Shown, name: str) -> list[str]:
    code = "return [...document.querySelectorAll('#every-cell tbody tr:not([hidden])')].map(r => r.cells[%d].innerText)"
    return list(shown.run(code % COLUMN[name]))


def seconds(text: str) -> float | None:
    units = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
    return None if text == "-" else float(text.split(maxsplit=1)[0]) * units[text.split()[1]]


def header(shown: Shown, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN201  an element of selenium
    return shown.driver.find_elements(By.CSS_SELECTOR, "#every-cell thead button")[COLUMN[name]]


def test_every_chart_is_drawn_and_the_console_stays_silent(wide: Shown) -> None:
    code = """return [...document.querySelectorAll('[data-chart]')].map(chart =>
      chart.querySelectorAll('svg .role-mark path, svg .role-mark line, svg .role-mark text').length)"""
    marks = wide.run(code)
    panels = list(content(made.rows(), made.specs(), title="").panels())
    assert len(marks) == len(panels) > 50
    assert min(marks) >= 2
    assert wide.said() == []


def test_bars_are_as_many_as_contenders(wide: Shown) -> None:
    code = "return document.querySelector('[data-chart]').querySelectorAll('.mark-rect.role-mark path').length"
    assert wide.run(code) == len(made.BACKENDS)


def test_nothing_is_asked_of_a_network(wide: Shown) -> None:
    assert wide.run("return performance.getEntriesByType('resource').length") == 0
    source = wide.path.read_text(encoding="utf-8").split("<script", maxsplit=1)[0]
    assert "http:" not in source
    assert "https:" not in source


def test_hostile_names_do_nothing_and_can_be_read(wide: Shown) -> None:
    assert wide.run("return typeof window.owned") == "undefined"
    assert wide.run("return document.images.length + document.querySelectorAll('[onerror],[onmouseover]').length") == 0
    assert wide.run("return document.scripts.length") == 3
    assert wide.run("return document.title") == made.IMG
    text = wide.run("return document.body.innerText")
    assert all(name in text for name in (made.SCRIPT, made.FIELD, made.IMG))
    assert not set("\u202e\u2067\u2028\u2029\x1b\x00") & set(wide.run("return document.body.textContent"))


def test_a_hostile_name_does_nothing_in_a_tooltip(wide: Shown) -> None:
    code = "return document.querySelector('[data-chart]').querySelectorAll('.mark-rect.role-mark path')[arguments[0]]"
    for place in range(len(made.BACKENDS)):
        bar = wide.run(code, place)
        wide.run("arguments[0].scrollIntoView({block: 'center'})", bar)
        ActionChains(wide.driver).move_to_element(bar).perform()
        tip = wide.driver.find_element(By.ID, "vg-tooltip-element")
        assert tip.is_displayed()
        assert "time per epoch" in tip.text
        assert not tip.find_elements(By.CSS_SELECTOR, "img, script")
    assert wide.run("return typeof window.owned") == "undefined"


def test_a_header_sorts_by_value_one_way_and_then_the_other_and_says_so(wide: Shown) -> None:
    for direction, factor in (("ascending", 1), ("descending", -1)):
        header(wide, "time per epoch").click()
        assert header(wide, "time per epoch").find_element(By.XPATH, "..").get_attribute("aria-sort") == direction
        times = [seconds(text) for text in column(wide, "time per epoch")]
        known = [time for time in times if time is not None]
        assert known == sorted(known, key=lambda time: factor * time)
        assert times[: len(known)] == known, "cells without a time come last"
        assert None in times
    sorted_headers = wide.driver.find_elements(By.CSS_SELECTOR, "th[aria-sort]:not([aria-sort=none])")
    assert len(sorted_headers) == 1


def test_a_keyboard_sorts(wide: Shown) -> None:
    button = header(wide, "workers")
    wide.run("arguments[0].focus()", button)
    button.send_keys(Keys.ENTER)
    counts = [int(text) for text in column(wide, "workers")]
    assert counts == sorted(counts)
    button.send_keys(Keys.SPACE)
    assert [int(text) for text in column(wide, "workers")] == sorted(counts, reverse=True)


def test_words_and_states_filter(wide: Shown) -> None:
    words = wide.driver.find_element(By.NAME, "words")
    total = len(column(wide, "backend"))
    words.send_keys("fused OK")
    assert set(column(wide, "backend")) == {"fused"}
    shown = wide.driver.find_element(By.CSS_SELECTOR, "#filter output").text
    assert shown == f"12 of {total} cells"
    words.send_keys(Keys.CONTROL, "a")
    words.send_keys(Keys.DELETE)
    for state in made.STATES:
        Select(wide.driver.find_element(By.NAME, "state")).select_by_visible_text(state)
        states = column(wide, "state")
        assert len(states) == 2
        assert all(shown.startswith(state) for shown in states)
    Select(wide.driver.find_element(By.NAME, "state")).select_by_visible_text("any")
    assert len(column(wide, "backend")) == total


def test_failed_cells_are_visible_with_their_reason(wide: Shown) -> None:
    code = "return [...document.querySelectorAll('tr.short')].map(r => [r.offsetHeight, r.cells[%d].innerText])"
    short = wide.run(code % COLUMN["why"])
    assert len(short) == 2 * (len(made.STATES) - 2)
    assert all(height > 0 and why.strip() for height, why in short)


def test_who_cannot_see_a_chart_is_told_and_has_a_table(wide: Shown) -> None:
    assert wide.run("return [...document.querySelectorAll('main table')].every(t => t.caption.textContent.trim())")
    code = """return [...document.querySelectorAll('figure')].every(f => f.querySelector('figcaption').innerText &&
      f.querySelector('[role=img]').ariaLabel.length > 20 && f.querySelector('details table tbody tr'))"""
    assert wide.run(code)
    levels = wide.run("return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_is_wider_than_the_window_and_words_stand_out(shown: Shown, width: int, scheme: str) -> None:
    shown.open(width=width, scheme=scheme)
    assert shown.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert shown.run(STICKING_OUT) == [], "words of a chart stick out of it"
    contrasts = shown.run(
        LUMINANCE
        + """const page = getComputedStyle(document.body).backgroundColor;
      return [...document.querySelectorAll('p, li, figcaption, td, summary')].slice(0, 300)
        .map(e => contrast(getComputedStyle(e).color, page))
        .concat([...document.querySelectorAll('.chart svg text')].slice(0, 300)
        .map(e => contrast(getComputedStyle(e).fill, page)))"""
    )
    assert min(contrasts) >= 4.5
    page = shown.run("return getComputedStyle(document.body).backgroundColor")
    assert (page == "rgb(255, 255, 255)") == (scheme == "light")
    assert shown.said() == []


def test_whatever_is_folded_up_among_the_warnings_is_printed(shown: Shown) -> None:
    shown.open()
    folded = "return document.querySelectorAll('.warnings details:not([open])').length"
    assert shown.run(folded) > 0
    shown.run("dispatchEvent(new Event('beforeprint'))")
    assert shown.run(folded) == 0


@pytest.mark.parametrize("width", [400, 1600])
def test_fourteen_backends_and_a_heat_map_stay_readable(shown: Shown, tmp_path: Path, width: int) -> None:
    path = tmp_path / "fourteen.html"
    path.write_text(page(made.fourteen(), {}, title="Fourteen"), encoding="utf-8")
    fourteen = Shown(shown.driver, path)
    fourteen.open(width=width)
    assert fourteen.run("return document.querySelectorAll('.heat .mark-rect.role-mark path').length") == 6
    assert fourteen.run(OVERLAPPING) == []
    assert (
        fourteen.run(
            "return Math.min(...[...document.querySelectorAll('svg text')].map(t => "
            "parseFloat(getComputedStyle(t).fontSize)))"
        )
        >= 11
    )
    assert fourteen.run(STICKING_OUT) == []
    assert fourteen.said() == []


def test_where_there_is_no_browser_ci_fails_and_others_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="chromium"):
        programs()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="chromium"):
        programs()
