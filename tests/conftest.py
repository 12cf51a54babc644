from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site folder with one healthy plugin in it: whatever else is installed, that one must stay usable."""
    folder = tmp_path / "site"
    folder.mkdir()
    site = Site(folder)
    site.healthy()
    return site
