"""Backends that tests check by ``module:Class``, importable here and in the processes that are started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

FOLDERS = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "mutants")]
sys.path.extend(FOLDERS)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(FOLDERS))
