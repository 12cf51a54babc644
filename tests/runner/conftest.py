from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.site import Site, offering, spec
from tests.runner.faulty import FAULTS

ROOT = Path(__file__).parents[2]
MODULE = "tests.runner.sweep"
Sweep = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A folder with the faulty plugin installed."""
    made = Site(tmp_path_factory.mktemp("site"))
    values = ("healthy", "unsupported", "unavailable", "wrong", *FAULTS)
    described = spec("faulty", implementation="harness_faulty.backend:Faulty", options={"fault": values})
    absent = spec("absent", requires=("no_such_package",), install="pip install nothing")
    code = "from tests.runner.faulty import Faulty as Faulty\n"
    made.install("faulty", offering(described, absent), files={"backend.py": code})
    return made


@pytest.fixture(scope="module")
def trash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for temporary files of everything that runs."""
    return tmp_path_factory.mktemp("trash")


@pytest.fixture(scope="module")
def variables(trash: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "TMPDIR": str(trash), "XDG_CACHE_HOME": str(trash / "cache")}


@pytest.fixture(scope="module")
def sweep(site: Site, variables: dict[str, str]) -> Sweep:
    """Run cells in a process of its own, as the command line would, and return the rows."""

    def call(*cells: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
        ran = site.python("-m", MODULE, json.dumps({"cells": cells, **request}), **variables)
        assert ran.code == 0, ran.err
        return [json.loads(line) for line in ran.out.splitlines()]

    return call


def folders(trash: Path) -> list[str]:
    """Return the private folders of children that are left."""
    return [path.name for path in trash.iterdir() if path.name.startswith("harness-")]


def environment(site: Site, variables: dict[str, str]) -> dict[str, str]:
    """Return the whole environment of a process that sees the site."""
    return {**os.environ, **variables, "PYTHONPATH": f"{site.folder}{os.pathsep}{ROOT}"}
