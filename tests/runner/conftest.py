from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.marked import Marked
from tests.fakes.site import Site
from tests.runner.installed import ROOT, faulty_site

MODULE = "tests.runner.sweep"
Sweep = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A folder with the faulty plugin installed."""
    return faulty_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    """What is left of everything that the module starts."""
    made = Marked(tmp_path_factory.mktemp("temporary"))
    yield made
    made.kill()


@pytest.fixture(scope="module")
def variables(marked: Marked) -> dict[str, str]:
    return {**marked.variables, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(marked.folder / "cache")}


@pytest.fixture(scope="module")
def sweep(site: Site, variables: dict[str, str]) -> Sweep:
    """Run cells in a process of its own, as the command line would, and return the rows."""

    def call(*cells: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
        ran = site.python("-m", MODULE, json.dumps({"cells": cells, **request}), **variables)
        assert ran.code == 0, ran.err
        return [json.loads(line) for line in ran.out.splitlines()]

    return call


def environment(site: Site, variables: dict[str, str]) -> dict[str, str]:
    """Return the whole environment of a process that sees the site."""
    return {**os.environ, **variables, "PYTHONPATH": f"{site.folder}{os.pathsep}{ROOT}"}
