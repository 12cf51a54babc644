"""A virtual environment made in a moment: it sees all that this one has, and what pip installs there stays there."""

from __future__ import annotations

import os
import shlex
import site
import subprocess
import venv
from pathlib import Path

from tests.fakes.site import Ran

QUIET = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1", "PIP_NO_WARN_SCRIPT_LOCATION": "1"}
"""pip takes nothing from outside. (``0`` is how pip spells --no-build-isolation in a variable.)"""


class Venv:
    """``folder`` holds the environment; commands run as a reader of the documents would type them."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.bin = folder / "bin"
        (packages,) = (folder / "lib").glob("python*/site-packages")
        outer = "; ".join(f"import site; site.addsitedir({path!r})" for path in site.getsitepackages())
        (packages / "outer.pth").write_text(f"{outer}\n")
        for command in ("pip", "harness", "pytest"):
            script = self.bin / command
            script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(self.bin / "python"))} -m {command} "$@"\n')
            script.chmod(0o755)

    def run(self, line: str, cwd: Path) -> Ran:
        """Run one line of a shell in ``cwd``."""
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, **QUIET, "PATH": path, "COLUMNS": "100"}
        done = subprocess.run(
            line, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)
