"""Where the files of datasets are: ``HARNESS_DATA`` first, then the user's data folder; and how they get there."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from harness.datasets.remote import RemoteFile
from harness.errors import DataError

APPLICATION = "backprop-harness"


def data_folders() -> list[Path]:
    """Return the folders that are searched, in order."""
    own = platformdirs.user_data_path(APPLICATION, appauthor=False)
    named = os.environ.get("HARNESS_DATA")
    return [Path(named).expanduser(), own] if named else [own]


def offline() -> bool:
    """Return whether ``HARNESS_OFFLINE`` forbids downloads."""
    return os.environ.get("HARNESS_OFFLINE", "") not in ("", "0")


def present(file: RemoteFile) -> Path | None:
    """Return where a file already is, or ``None``; something else in its place is a ``DataError``."""
    for folder in data_folders():
        path = folder / file.path
        if path.is_file():
            return path
        if path.exists() or path.is_symlink():
            raise DataError(f"{path}: is not a file; remove it, or point HARNESS_DATA elsewhere")
    return None


def located(file: RemoteFile) -> Path:
    """Return the path of a file, downloading it where no data folder has it yet."""
    found = present(file)
    if found is not None:
        return found
    if offline():
        raise DataError(
            f"{file.path} is not in {' or '.join(map(str, data_folders()))} and HARNESS_OFFLINE forbids to fetch it; "
            "put it there, or unset HARNESS_OFFLINE"
        )
    from harness.datasets.download import download  # noqa: PLC0415  only a download pays for its library

    return download(file, target_folder())


def target_folder() -> Path:
    """Return the first data folder that can be written to, made where it is missing."""
    for folder in data_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise DataError(
        f"none of {', '.join(map(str, data_folders()))} can be written to; set HARNESS_DATA to one that can"
    )
