"""What a plugin may import: ``harness``, ``harness.plugin`` and ``harness.conformance.check``, and nothing else."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness import plugin

ROOT = Path(__file__).parents[1]
ALLOWED = {"harness": set(harness.__all__), "harness.plugin": set(plugin.__all__), "harness.conformance": {"check"}}
SCAFFOLD = ROOT / "harness" / "conformance" / "scaffold" / "files"
SOURCES = [*ROOT.glob("plugins/**/*.py"), *SCAFFOLD.glob("*.py.txt"), *ROOT.glob("docs/**/*.md"), ROOT / "README.md"]


def programs(path: Path) -> Iterator[str]:
    """Yield the Python of a file: all of it, or the blocks of a page that parse as Python."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".md":
        yield re.sub(r"\{\{?.*?\}?\}|\$\w+", "name", text) if path.suffix == ".txt" else text
        return
    yield from map(textwrap.dedent, re.findall(r"^```python.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def refused(program: str) -> list[str]:
    """Return the imports of harness that a program makes and that nothing promises."""
    wrong = []
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "harness":
            known = ALLOWED.get(str(node.module), set())
            wrong += [f"{node.module}.{alias.name}" for alias in node.names if alias.name not in known]
        if isinstance(node, ast.Import):
            wrong += [a.name for a in node.names if a.name.startswith("harness.") and a.name not in ALLOWED]
    return wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_plugin_imports_only_what_is_promised(path: Path) -> None:
    assert not [name for program in programs(path) for name in refused(program)]


@pytest.mark.parametrize(
    "program",
    ["from harness.contract.arrays import copied", "import harness.errors", "from harness import nearest"],
)
def test_what_nothing_promises_is_found(program: str) -> None:
    assert refused(program)


@pytest.mark.parametrize("name", plugin.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(plugin, name) is not None


def test_a_name_that_is_not_promised_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"module 'harness\.plugin' has no attribute 'nothing'"):
        plugin.nothing  # noqa: B018  the access is the test
