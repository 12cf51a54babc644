"""``docs/commands.md`` and ``docs/rows.md`` are complete, and say nothing of what does not exist."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path
from typing import get_args

import pytest

from harness.cli import COMMANDS
from harness.report.export import records
from harness.runner.row import State
from harness.store import Stored
from tests.samples import a_row

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS_PAGE = (DOCS / "commands.md").read_text(encoding="utf-8")
ROWS_PAGE = (DOCS / "rows.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `harness ([\w-]+)`\n(.*?)(?=^## |\Z)", COMMANDS_PAGE, re.MULTILINE | re.DOTALL))


def _options(command: str) -> set[str]:
    parser = argparse.ArgumentParser(add_help=False)
    importlib.import_module(f"harness.cli.{command.replace('-', '_')}").configure(parser)
    return {action.option_strings[-1] for action in parser._actions if action.option_strings}


def _table(heading: str) -> list[str]:
    """Return the names in the first column of the table below a heading."""
    body = ROWS_PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    first = re.findall(r"^\| (`.*?) \|", body, re.MULTILINE)
    return [name for cell in first for name in re.findall(r"`([\w-]+)`", cell)]


def test_every_command_has_its_section_and_nothing_else_has_one() -> None:
    assert sorted(SECTIONS) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_named_where_its_command_is_and_no_other(command: str) -> None:
    known = _options(command)
    named = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", SECTIONS[command]))
    assert known <= named
    everywhere = set().union(*map(_options, COMMANDS)) | {"-o"}
    assert named <= everywhere


def test_every_state_has_its_row() -> None:
    assert sorted(_table("States")) == sorted(get_args(State))


def test_every_exported_field_has_its_row() -> None:
    (record,) = records([Stored(row=a_row(), run="r", code="c", plugin="p", label="l", attempt=1)])
    assert sorted(_table("Fields")) == sorted(record)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_every_link_to_another_page_leads_somewhere(page: Path) -> None:
    for name, anchor in re.findall(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
        target = DOCS / name
        assert target.is_file(), name
        titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, (name, anchor)
