"""A scratch repository of this project with two plugins, and an environment for asv that needs nothing installed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from asv.config import Config
from asv.environment import get_environments

ROOT = Path(__file__).parents[2]
PLUGINS = ("blas", "python")
KEPT = ("harness", "benchmarks", "Makefile", "pyproject.toml", "README.md", "LICENSE")
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "tests"), ("EMAIL", "tests@localhost"))
}


class Scratch:
    """One repository in ``folder``, which is also the home of the user who runs asv there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "project", folder
        self.folder.mkdir()
        for name in (*KEPT, *(f"plugins/{plugin}" for plugin in PLUGINS)):
            _copy(ROOT / name, self.folder / name)
        reduced: dict[str, Any] = {**json_with_comments(ROOT / "asv.conf.json"), "matrix": {}}
        (self.folder / "asv.conf.json").write_text(json.dumps(reduced))
        (self.folder / ".gitignore").write_text(".asv/\n__pycache__/\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("As it is")

    def git(self, *words: str) -> str:
        """Run git and return what it printed."""
        done = self._run(["git", *words])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def asv(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run asv in the repository."""
        return self._run([sys.executable, "-m", "asv", *words])

    def make(self, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Make one target with the tools that are installed here."""
        given = {"BIN": str(Path(sys.executable).parent), **variables}
        return self._run(["make", "--old-file", "setup", target, *(f"{name}={value}" for name, value in given.items())])

    def prepare_environment(self) -> None:
        """Make the environment that asv would make, except that it sees what this one has in place of a download."""
        before = Path.cwd()
        os.chdir(self.folder)  # asv resolves every path from where it is called
        try:
            (environment,) = get_environments(Config.load("asv.conf.json"), [])
            place = Path(environment._path)
            _environment(place)
            environment.save_info_file(str(place))
            assert environment.check_presence()
        finally:
            os.chdir(before)

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        named = {**os.environ, **IDENTITY, "HOME": str(self.home), "PIP_NO_INDEX": "1"}
        return subprocess.run(
            words, cwd=self.folder, env=named, capture_output=True, text=True, timeout=280, check=False
        )


def know_machine(home: Path) -> str:
    """Do what ``make`` does before it calls asv, for a user at ``home``, and return the machine's name."""
    words = [sys.executable, str(ROOT / "benchmarks" / "scripts" / "this_machine.py")]
    named = {**os.environ, "HOME": str(home)}
    return subprocess.run(words, env=named, capture_output=True, text=True, check=True).stdout.strip()


def json_with_comments(path: Path) -> dict[str, Any]:
    """Read asv's own kind of JSON."""
    from asv.util import load_json

    loaded: dict[str, Any] = load_json(str(path), js_comments=True)
    return loaded


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _environment(place: Path) -> None:
    """Make a virtual environment that has what this one has, as links, but nothing of this project."""
    venv.create(place, with_pip=False, symlinks=True)
    (packages,) = (place / "lib").glob("python*/site-packages")
    for found in (entry for folder in site.getsitepackages() for entry in Path(folder).iterdir()):
        if not found.name.startswith("backprop_harness") and found.suffix != ".pth":
            (packages / found.name).symlink_to(found)
    pip = place / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {shlex.quote(str(place / "bin" / "python"))} -m pip "$@"\n')
    pip.chmod(0o755)
