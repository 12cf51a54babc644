"""The tutorial ``docs/write-a-backend.md``: typed in and run, step by step, as a reader would."""

from __future__ import annotations

import doctest
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.conformance.scaffold import Scaffold
from tests.fakes.venv import Venv

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-backend.md").read_text(encoding="utf-8")
FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<kind>\w+)(?: (?P<path>\S+))?\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
"""Lines are wrapped and columns are as wide as whatever else is installed makes them."""


@dataclass(frozen=True)
class Block:
    kind: str
    path: str | None
    body: str


BLOCKS = [Block(one["kind"], one["path"], one["body"]) for one in FENCE.finditer(PAGE)]


def typed_in(blocks: list[Block]) -> dict[str, str]:
    """Return the files that a reader has after typing these blocks; one more block of a file goes on after a gap."""
    files: dict[str, str] = {}
    for block in blocks:
        if block.path:
            files[block.path] = f"{files[block.path]}\n{block.body}" if block.path in files else block.body
    return files


def test_the_tutorial_builds_what_new_backend_writes() -> None:
    assert typed_in(BLOCKS) == Scaffold("mine").contents()


def commands(block: Block) -> list[tuple[str, str]]:
    """Return each command of a console block with the output that the page shows."""
    parts = re.split(r"^\$ (.+)\n", block.body, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def test_every_step_does_what_the_page_shows(tmp_path: Path) -> None:
    venv, folder = Venv(tmp_path / "venv"), tmp_path / "backprop-harness-mine"
    folder.mkdir()
    for number, block in enumerate(BLOCKS):
        for path, text in typed_in(BLOCKS[: number + 1]).items() if block.path else ():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        for command, shown in commands(block) if block.kind == "console" else ():
            ran = venv.run(f"{command} 2>&1", folder)
            matches = doctest.OutputChecker().check_output(shown, ran.out, LENIENT)
            assert matches, f"$ {command}\n{ran.out}\ninstead of\n{shown}"
        if block.kind == "python" and not block.path:
            (folder.parent / "snippet.py").write_text(block.body)
            ran = venv.run("python -W error ../snippet.py", folder)
            assert ran.code == 0, ran.err


@pytest.mark.parametrize("kind", ["sh", "toml", "python", "console", "yaml"])
def test_no_block_escapes_the_test(kind: str) -> None:
    assert len(re.findall(rf"^`{{3,4}}{kind}\b", PAGE, re.MULTILINE)) >= 1
    assert {block.kind for block in BLOCKS} == {"sh", "toml", "python", "console", "yaml"}


def test_the_commands_of_the_head_exist() -> None:
    shell = "".join(block.body for block in BLOCKS if block.kind == "sh")
    assert shell == "harness new-backend mine\npip install 'backprop-harness[check]'\n"
