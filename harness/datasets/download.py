"""Downloads that end in a verified file or in none: mirrors, retries, hashes, progress, safe beside another process.

pooch does the transfer, the retries and the hash of the published file. What it cannot know, the content behind the
compression, is verified before the file gets its name, by one atomic rename.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import pooch  # type: ignore[import-untyped]  # it ships no types
import requests

from harness.datasets.progress import bar
from harness.datasets.remote import RemoteFile
from harness.errors import DataError

RETRIES = 2
"""Further attempts at each mirror."""
TIMEOUT = 30
"""Seconds without an answer or a byte before an attempt is given up."""


def download(file: RemoteFile, folder: Path) -> Path:
    """Fetch a file into ``folder`` from the first mirror that serves it whole; return its path."""
    target = folder / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{target.parent}: cannot be made: {error.strerror}") from error
    causes = []
    for url in file.urls:
        try:
            return _from_mirror(file, url, target)
        except (DataError, ValueError, OSError, requests.RequestException) as error:
            causes.append(f"{url}: {_short(error)}")
    raise DataError(f"{file.path} cannot be fetched: {'; '.join(causes)}")


def _from_mirror(file: RemoteFile, url: str, target: Path) -> Path:
    """One mirror's attempt, in a folder of its own beside the target, which goes away whatever happens."""
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
    """The cause on one line, without the scratch paths and objects of the libraries below."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} s"
    if isinstance(error, requests.RequestException):
        return "connection failed or broke off"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, ValueError):
        return "the content has another hash than the published file"
    return str(error)
