from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import harness
from harness.store import identity


@pytest.fixture
def home(tmp_path: Path) -> Path:
    source = Path(harness.__file__).parent
    return Path(shutil.copytree(source, tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__")))


def test_a_copy_of_the_same_code_is_the_same_contender(home: Path) -> None:
    assert identity.code(home) == identity.code(home)
    assert identity.code(home).startswith(f"{harness.__version__}+")


@pytest.mark.parametrize("name", ["worker/clock.py", "backend.py", "studies/../reference.py"])
def test_an_edit_of_what_measures_is_another_contender(home: Path, name: str) -> None:
    before = identity.code(home)
    with (home / name).open("a") as file:
        file.write("\n# edited\n")
    assert identity.code(home) != before


def test_a_page_of_the_report_a_study_or_a_cache_changes_nothing(home: Path) -> None:
    before = identity.code(home)
    for folder in identity.NOT_MEASURING:
        (home / folder / "new.py").write_text("")
    (home / "worker" / "__pycache__").mkdir()
    for name in ("clock.cpython-311.pyc", "clock.step-12.py311.1.nbc"):
        (home / "worker" / "__pycache__" / name).write_bytes(b"x")
    (home / "worker" / ".clock.py.swp").write_bytes(b"x")
    assert identity.code(home) == before


def test_every_folder_that_is_left_out_is_there(home: Path) -> None:
    assert all((home / name).is_dir() for name in identity.NOT_MEASURING)


def test_a_plugin_is_its_version_its_files_and_the_versions_of_what_it_requires() -> None:
    from importlib.metadata import version

    found = identity.plugins()
    assert set(found) == set(harness.backends())
    for name, spec in harness.backends().items():
        assert all(required in found[name] for required in spec.requires)
    assert f"numpy {version('numpy')}" in found["blas"]
