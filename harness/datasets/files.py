"""Where the files of datasets are: in ``HARNESS_DATA``, or else in the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from harness.datasets.remote import RemoteFile
from harness.errors import DataError

APPLICATION = "backprop-harness"


def data_folders() -> list[Path]:
    """Return the folders in which files are searched, in order."""
    own = platformdirs.user_data_path(APPLICATION, appauthor=False)
    named = os.environ.get("HARNESS_DATA")
    return [Path(named).expanduser(), own] if named else [own]


def offline() -> bool:
    """Return whether ``HARNESS_OFFLINE`` forbids downloads."""
    return os.environ.get("HARNESS_OFFLINE", "") not in ("", "0")


def present(file: RemoteFile) -> Path | None:
    """Return the path of a file that exists, else ``None``; something else in its place is a ``DataError``."""
    for folder in data_folders():
        path = folder / file.path
        if path.is_file():
            return path
        if path.exists() or path.is_symlink():
            raise DataError(f"{path}: is not a file; remove it, or set HARNESS_DATA to another folder")
    return None


def located(file: RemoteFile) -> Path:
    """Return the path of a file; download it if no data folder has it.

    Raise ``DataError`` if it cannot be downloaded, or if ``HARNESS_OFFLINE`` forbids that.
    """
    path = present(file)
    if path is not None:
        return path
    if offline():
        raise DataError(
            f"{file.path} is not in {' or '.join(map(str, data_folders()))} and HARNESS_OFFLINE forbids a download; "
            "put it there, or unset HARNESS_OFFLINE"
        )
    from harness.datasets.download import download  # noqa: PLC0415  its library is needed only for a download

    return download(file, target_folder())


def target_folder() -> Path:
    """Return the first data folder that can be written, and create it if it is missing; else raise ``DataError``."""
    for folder in data_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise DataError(
        f"none of {', '.join(map(str, data_folders()))} can be written; set HARNESS_DATA to a folder that can"
    )
