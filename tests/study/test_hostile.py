"""Whatever a study says, it is a study or a refused request: no other exception, no message with control codes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import RequestError
from harness.study.document import Document
from harness.study.model import Study
from harness.study.parse import KEYS, parse
from tests.study.told import CATALOGUE, ONE

WORDS = st.sampled_from(["digits", "net-1h", "all", "blas", "mse", "\x1b[31m", "", "name", "hidden", "a\nb"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)


def attempt(document: Document) -> Study | str:
    try:
        return parse(document, "mine", CATALOGUE)
    except RequestError as error:
        return str(error)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), VALUES, max_size=4))
def test_any_tables_are_a_study_or_refused(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    document = Document(ONE, "mine.toml", tmp_path_factory.getbasetemp())
    document.data |= data
    found = attempt(document)
    assert isinstance(found, Study) or all(line.isprintable() for line in found.splitlines())


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("[]{}=\"'#.,\n ab1-_backend"), max_size=60))
def test_any_text_is_a_study_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        document = Document(text + "\n" + ONE, "mine.toml", tmp_path_factory.getbasetemp())
    except RequestError:
        return
    attempt(document)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_any_override_is_applied_or_refused(tmp_path_factory: pytest.TempPathFactory, key: str, value: str) -> None:
    document = Document(ONE, "mine.toml", tmp_path_factory.getbasetemp())
    try:
        document.override([f"{key}={value}", f"backend.{key}={value}", f"dataset.{key}={value}"])
    except RequestError:
        return
    found = attempt(document)
    assert isinstance(found, Study) or all(line.isprintable() for line in found.splitlines())
