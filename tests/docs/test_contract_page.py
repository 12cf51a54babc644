"""``docs/contract.md`` is complete, and says nothing of what does not exist."""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import harness
from harness import errors, plugin
from harness.contract import options, vocabulary
from harness.contract.activations import shipped
from harness.contract.backend import Backend
from harness.contract.parameters import INITIALISATIONS
from harness.contract.registry.hooks import KINDS
from harness.contract.vocabulary import DTYPES, LOSSES

PAGE = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
KINDS_OF_WORDS = (vocabulary.Parallel, vocabulary.Algebra, vocabulary.Mathematics)
HEADINGS = re.findall(r"^#+ `(\w+)`$", PAGE, re.MULTILINE)
CODE = set(re.findall(r"`([^`\n]+)`", PAGE))
FIELDS = [field.name for field in dataclasses.fields(harness.BackendSpec)]
METHODS = ["__init__", *(name for name, value in vars(Backend).items() if inspect.isfunction(value) and name[0] != "_")]
ERRORS = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)]


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one of the same depth."""
    depth, rest = re.split(rf"^(#+) {re.escape(heading)}$", PAGE, maxsplit=1, flags=re.MULTILINE)[1:]
    return re.split(rf"^#{{1,{len(depth)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def test_every_field_method_hook_and_reserved_option_has_its_heading_and_nothing_else_has_one() -> None:
    classes = ["BackendSpec", "Backend", "Activation", "Dataset"]
    assert sorted(HEADINGS) == sorted([*KINDS, *FIELDS, *METHODS, *vocabulary.RESERVED, *classes])


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_heading_says_something(heading: str) -> None:
    assert len(section(f"`{heading}`").split()) >= 2


@pytest.mark.parametrize("kind", [harness.Activation, harness.Dataset])
def test_the_fields_of_what_else_a_hook_yields_have_their_row(kind: type) -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section(f"`{kind.__name__}`"), re.MULTILINE)
    assert rows == [field.name for field in dataclasses.fields(kind)]


def test_the_public_names_are_all_listed_and_no_other() -> None:
    listed = re.findall(r"`(\w+)`", section("Names").split("\n\n")[3])
    assert sorted(listed) == sorted(harness.__all__)


def test_the_names_for_authors_are_all_listed_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section("Names"), re.MULTILINE) == sorted(plugin.__all__)


@pytest.mark.parametrize(
    "word",
    [
        *DTYPES,
        *LOSSES,
        *INITIALISATIONS,
        *(one.name for one in shipped()),
        *(
            value
            for kind in (vocabulary.Parallel, vocabulary.Algebra, vocabulary.Mathematics)
            for value in get_args(kind)
        ),
        *(value for values in vocabulary.RESERVED.values() for value in values),
        *ERRORS,
    ],
)
def test_every_word_of_the_contract_is_explained(word: str) -> None:
    assert word in CODE


def test_every_helper_that_is_promised_exists() -> None:
    promised = re.findall(r"`(harness(?:\.\w+)+)`", PAGE)
    assert len(promised) >= 2
    for path in promised:
        assert pkgutil.resolve_name(path)


def test_every_link_leads_to_a_heading() -> None:
    titles = [re.sub(r"[^\w -]", "", title) for title in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)]
    anchors = {title.strip().lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= anchors


def test_the_api_of_the_page_is_the_api_of_the_code() -> None:
    assert f"# The contract, api {vocabulary.API}\n" in PAGE


def test_the_snippets_are_right() -> None:
    toml, python = (re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[1] for kind in ("toml", "python"))
    assert tomllib.loads(toml)["project"]["entry-points"]["harness"] == {"mine": "harness_mine"}
    found: dict[str, options.Table] = {}
    exec(python, found)
    options.check_table("contract.md", found["options"])
