"""The README as a stranger takes it: its Python runs, its study plans, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("**/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_python_of_the_readme_trains() -> None:
    (code,) = blocks(README, "python")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert getattr(names["weights"], "shape", None) == (64, 32)
    assert names["backend"].__class__.__name__ == "BlasBackend"


def test_the_study_of_the_readme_is_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study,) = blocks(README, "toml")
    path = tmp_path / "study.toml"
    path.write_text(study, encoding="utf-8")
    assert main(["plan", str(path)]) == 0
    assert "threads" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    shown = "\n".join(blocks(page.read_text(encoding="utf-8"), r"\w*"))
    for command in re.findall(r"^(?:\$ )?(?:\.venv/bin/)?harness ([a-z][a-z-]*)", shown, re.MULTILINE):
        assert command in COMMANDS, f"{page.name} shows `harness {command}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_or_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = [page.parent / target for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)]
    named = [ROOT / target for target in re.findall(r"`((?:docs|benchmarks)/[\w./-]+\.(?:md|py|png))`", text)]
    missing = [str(path) for path in [*linked, *named] if not path.exists()]
    assert not missing


def test_every_make_target_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")):
            assert target in targets, f"{page.name} names `make {target}`"
