"""Downloads: each ends in a verified file or in none, even if another process downloads the same file.

pooch does the transfer, the retries and the hash of the published file. The content behind the compression, which pooch
cannot know, is verified before the file gets its name by one atomic rename.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch  # type: ignore[import-untyped]  # it ships no types
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from harness.datasets.remote import RemoteFile
from harness.errors import DataError

RETRIES = 2
"""Further attempts at each mirror after the first."""
TIMEOUT = 30
"""Seconds without an answer or a byte after which an attempt ends."""


def download(file: RemoteFile, folder: Path) -> Path:
    """Fetch a file into ``folder`` from the first mirror that has it, verify it, and return its path.

    Raise ``DataError`` with the cause at every mirror if none of them delivers it.
    """
    target = folder / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{target.parent}: cannot be created: {error.strerror}") from error
    causes = []
    for url in file.urls:
        try:
            return _from_mirror(file, url, target)
        except (DataError, ValueError, OSError, requests.RequestException) as error:
            causes.append(f"{url}: {_short(error)}")
    raise DataError(f"{file.path} cannot be fetched: {'; '.join(causes)}")


def _from_mirror(file: RemoteFile, url: str, target: Path) -> Path:
    """Fetch from one mirror into a temporary folder beside the target; the folder is always removed."""
    pooch.get_logger().setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as scratch, bar(target.name) as shown:
        fetcher = pooch.create(
            path=scratch,
            base_url="",
            registry={target.name: file.known_hash},
            urls={target.name: url},
            retry_if_failed=RETRIES,
        )
        transfer = pooch.HTTPDownloader(progressbar=shown, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
        fetched = Path(fetcher.fetch(target.name, downloader=transfer))
        file.verify(fetched)
        fetched.replace(target)
    return target


def _short(error: Exception) -> str:
    """Return the cause on one line, without the temporary paths and objects that the libraries put into it."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} s"
    if isinstance(error, requests.RequestException):
        return "the connection failed"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, ValueError):
        return "the content has another hash than the published file"
    return str(error)


class Bar:
    """A progress bar with the interface that pooch expects: ``total`` is set once, ``update`` for each chunk."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None)

    @property
    def total(self) -> float | None:
        """The size of the file in bytes; ``None`` while it is unknown."""
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        """Set the size and start the bar again, because this may be a further attempt."""
        self._progress.reset(self._task, total=size or None)

    def update(self, size: int) -> None:
        """Count ``size`` further bytes."""
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        """Count from 0 again; pooch calls this just before it fills the bar at the end."""
        self._progress.reset(self._task, total=self.total)

    def close(self) -> None:
        """Do nothing: ``bar`` ends the display."""


@contextmanager
def bar(name: str) -> Iterator[Bar | None]:
    """Show a bar on standard error while the block runs; yield ``None`` if standard error is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        yield Bar(name, progress)
