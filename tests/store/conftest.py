from __future__ import annotations

from pathlib import Path

import pytest

from harness.store import Store
from tests.samples import a_cell, a_row, a_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture
def filled(path: Path) -> Path:
    """A store with one run of two cells in two rounds."""
    with Store.open(path) as store:
        run = a_run()
        cells = [a_cell(), a_cell(batch=64)]
        store.begin(run, cells)
        for turn in (1, 2):
            for cell in cells:
                store.add(run, a_row(cell, turn))
    return path
