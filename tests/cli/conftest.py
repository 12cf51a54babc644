from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.site import Ran, Site, offering, spec

ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b[31mred\x1b]0;title\x07 <b>&amp; \"quoted\" 'so'\r\n\u202egnp.exe"
BACKEND = f"""
import os
import time
from tests.runner.faulty import Faulty

slept = []

class Fake(Faulty):
    def train_epoch(self, batch_size, rate):
        if self.fault == "print_and_fail":
            os.write(2, {HOSTILE!r}.encode())
            raise RuntimeError({HOSTILE!r})
        if self.fault == "sleep" and not slept:
            slept.append(time.sleep(2))
        super().train_epoch(batch_size, rate)
"""
STUDY_NAME, STORE_NAME = 'it\'s "so" <b>.toml', "a <b>&'\".db"
STUDY = """
title = "Faults"
dataset = {{name = "synthetic", rows = 64, inputs = 8, outputs = 2}}
networks = [{{hidden = [4]}}]
batch = 32
epochs = 2
rounds = {rounds}
rate = 0.1
time_limit = 30
[[backend]]
name = "faulty"
options = {{fault = {faults}}}
"""
Harness = Callable[..., Ran]


class Lab(Site):
    """A site with a plugin that misbehaves as its option ``fault`` says, and a folder to work in."""

    def study(self, name: str, *faults: str, rounds: int = 1) -> str:
        path = self.folder / name
        path.write_text(STUDY.format(faults=list(faults), rounds=rounds))
        return name

    def run(self, *words: str, **environment: str) -> Ran:
        return self.harness(*words, **self.variables(), **environment)

    def variables(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder / "code"), "XDG_CACHE_HOME": str(self.folder / "cache")}

    def path(self, name: str) -> Path:
        return self.folder / name


def made(folder: Path) -> Lab:
    lab = Lab(folder)
    for package in ("harness", "tests"):  # a copy: whoever edits the code while tests run makes it another contender
        shutil.copytree(ROOT / package, folder / "code" / package, ignore=shutil.ignore_patterns("__pycache__"))
    values: tuple[Any, ...] = ("healthy", "print_and_fail", "wrong", "unavailable", "unsupported", "sleep")
    faulty = spec("faulty", options={"fault": values})
    absent = spec("absent", requires=("no_such_package",), install="pip install nothing")
    lab.install("faulty", offering(faulty, absent), files={"backend.py": BACKEND})
    return lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return made(tmp_path)


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Ran]:
    """A lab in which one study was run: one healthy cell and four that fell short, in their own way each."""
    lab = made(tmp_path_factory.mktemp("lab"))
    study = lab.study(STUDY_NAME, "healthy", "print_and_fail", "wrong", "unavailable", "unsupported")
    return lab, lab.run("run", study, "--store", STORE_NAME)
