"""Reading compressed files whole, with one clear error for every way in which a file can be broken."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import DataError

ADVICE = "remove it and fetch it again"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a ``DataError`` that names the file and what to do."""
    try:
        yield
    except EOFError:
        raise DataError(f"{path}: ends too early; {ADVICE}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: not a sound gzip file ({error}); {ADVICE}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def content(path: Path, size: int) -> bytes:
    """Return the decompressed content, which must have exactly ``size`` bytes; never reads much more than that."""
    with reading(path):
        if path.stat().st_size == 0:
            raise DataError(f"{path}: empty; {ADVICE}")
        with gzip.open(path) as file:
            found = file.read(size + 1)
    if len(found) != size:
        what = f"more than {size}" if len(found) > size else f"{len(found)} instead of {size}"
        raise DataError(f"{path}: holds {what} bytes; {ADVICE}")
    return found
