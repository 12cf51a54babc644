"""The page of supported systems, the package, the Makefile and the workflow name the same Pythons."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PREFIX = "Programming Language :: Python :: "
PYTHONS = [name.removeprefix(PREFIX) for name in PROJECT["classifiers"] if name.startswith(PREFIX)]


def test_the_oldest_python_is_the_one_that_the_package_requires() -> None:
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


def test_the_page_has_a_line_for_each_python() -> None:
    page = (ROOT / "docs" / "supported.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (3\.\d+) \|", page, re.MULTILINE) == PYTHONS


def test_the_workflow_runs_each_python() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (matrix,) = re.findall(r"^ +python: \[(.*)\]$", workflow, re.MULTILINE)
    assert re.findall(r"\"([\d.]+)\"", matrix) == PYTHONS


def test_the_types_are_checked_for_each_python() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^PYTHONS := (.*)$", makefile, re.MULTILINE) == [" ".join(PYTHONS)]
