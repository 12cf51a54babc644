from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.fakes.site import Site

LOCKS = tempfile.mkdtemp(prefix="harness-tests-locks-")
"""Runs of the tests wait neither for a user's run nor for those of another worker of pytest."""
os.environ["HARNESS_LOCKS"] = LOCKS


def pytest_sessionfinish() -> None:
    shutil.rmtree(LOCKS, ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site folder with one healthy plugin in it: whatever else is installed, that one must stay usable."""
    folder = tmp_path / "site"
    folder.mkdir()
    site = Site(folder)
    site.healthy()
    return site
