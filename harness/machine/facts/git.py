"""The commit of a checkout, read from git's own files: starting git for every row would cost too much."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from harness.machine.cores import text

PATIENCE = 2.0
"""Seconds that ``git status`` may take. A checkout that takes longer is reported without its dirty flag."""


def checkout(module_file: str | None) -> dict[str, Any] | None:
    """Return commit and dirty flag of the checkout that holds a module's file; ``None`` for an installed module."""
    if module_file is None:
        return None
    path = Path(module_file).resolve()
    if {"site-packages", "dist-packages"} & set(path.parts):
        return None  # an installed copy, even if its environment lies inside a checkout
    root = next((folder for folder in path.parents if (folder / ".git").exists()), None)
    return None if root is None else _state(root)


@cache
def _state(root: Path) -> dict[str, Any]:
    state = {"commit": commit(root), "dirty": dirty(root)}
    return {name: value for name, value in state.items() if value is not None}


def commit(root: Path) -> str | None:
    """Return the commit that ``HEAD`` names, without starting git; ``None`` if it cannot be found."""
    folder = _git_folder(root)
    head = text(folder / "HEAD") or ""
    name = head.removeprefix("ref: ")
    if name == head:
        return head or None
    shared = folder / (text(folder / "commondir") or ".")
    return text(folder / name) or text(shared / name) or _packed(shared, name)


def _git_folder(root: Path) -> Path:
    """Return git's own folder. In a linked work tree, ``.git`` is a file that names this folder."""
    place = root / ".git"
    return place if place.is_dir() else root / (text(place) or "").removeprefix("gitdir: ")


def _packed(folder: Path, name: str) -> str | None:
    lines = (text(folder / "packed-refs") or "").splitlines()
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), None)


def dirty(root: Path) -> bool | None:
    """Return whether a tracked file differs from the commit; ``None`` if git is not installed or takes too long."""
    words = ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"]
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # do not disturb another git in the same checkout
    try:
        done = subprocess.run(words, env=quiet, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None
