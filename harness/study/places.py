"""Reading where a backend runs: an interpreter, and hosts."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from harness.errors import RequestError
from harness.study import values

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(:[1-9]\d{0,3})?")


def interpreter(folder: Path, value: Any) -> str:
    """Return the absolute path of an interpreter, links kept: relative to ``folder``, or a bare name on the PATH."""
    word = values.text(value)
    found = str((folder / Path(word).expanduser()).absolute()) if os.sep in word else shutil.which(word)
    if not found or not Path(found).is_file() or not os.access(found, os.X_OK):
        raise RequestError(
            f"no interpreter is there{f' ({found})' if found else ''}; relative paths start at the study"
        )
    return found


def host(value: Any) -> str:
    """Read the name of a machine; never one that a command could take for an option."""
    word = values.text(value)
    if not _HOST.fullmatch(word):
        raise RequestError("give a host name, with :slots if it has more than one")
    return word
