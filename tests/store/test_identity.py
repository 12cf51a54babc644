from __future__ import annotations

import shutil
import subprocess
import sys
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


@pytest.mark.parametrize("name", ["worker/clock.py", "contract/backend.py", "errors.py"])
def test_an_edit_of_what_measures_is_another_contender(home: Path, name: str) -> None:
    before = identity.code(home)
    with (home / name).open("a") as file:
        file.write("\n# edited\n")
    assert identity.code(home) != before


def test_a_page_of_the_report_a_study_or_a_cache_changes_nothing(home: Path) -> None:
    before = identity.code(home)
    for folder in ("cli", "session/gate", "report/compare", "study/shipped", "store", "conformance", "machine/doctor"):
        (home / folder / "new.py").write_text("")
    with (home / "report" / "statistics.py").open("a") as file:
        file.write("\n# edited\n")
    (home / "worker" / "__pycache__").mkdir()
    for name in ("clock.cpython-311.pyc", "clock.step-12.py311.1.nbc"):
        (home / "worker" / "__pycache__" / name).write_bytes(b"x")
    (home / "worker" / ".clock.py.swp").write_bytes(b"x")
    assert identity.code(home) == before


def test_every_part_that_measures_is_there(home: Path) -> None:
    assert all((home / name).exists() for name in identity.MEASURING)


LOADED = """
import pathlib, runpy, sys, harness
from harness.machine.process import child
home = pathlib.Path(harness.__file__).parent
def print_loaded(*_):
    from harness.worker import evaluation, measuring, observation
    from harness.worker.parity import cache, plan, truth, verdict
    from harness.worker.receipt import collect, mismatches
    from harness.machine import launch
    from harness.machine.limit import bandwidth, gemm
    files = [module.__file__ for name, module in sys.modules.items() if name.startswith("harness.")]
    print(*(pathlib.Path(file).relative_to(home) for file in files if file and home in pathlib.Path(file).parents))
print_loaded()
"""


def test_whatever_a_worker_loads_is_part_of_the_identity() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = [Path(name) for name in done.stdout.split()]
    assert Path("worker/measuring.py") in loaded
    own = {Path("_version.py"), Path("machine/__init__.py"), Path("plan/__init__.py")}
    assert not [path for path in loaded if path not in own and not any(map(path.is_relative_to, identity.MEASURING))]


def test_a_plugin_is_its_version_its_files_and_the_versions_of_what_it_requires() -> None:
    from importlib.metadata import version

    found = identity.plugins()
    assert set(found) == set(harness.backends())
    for name, spec in harness.backends().items():
        assert all(required in found[name] for required in spec.requires)
    assert f"numpy {version('numpy')}" in found["blas"]
