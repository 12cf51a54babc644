"""Read compressed files, with one clear error for every way in which a file can be damaged."""

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
    """Turn every error while a file is read into a ``DataError`` that names the file and says what to do."""
    try:
        yield
    except EOFError:
        raise DataError(f"{path}: ends too early; {ADVICE}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: is not a valid gzip file ({error}); {ADVICE}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def content(path: Path, size: int) -> bytes:
    """Return the decompressed content; ``DataError`` unless it has exactly ``size`` bytes. Never read much more."""
    with reading(path):
        if path.stat().st_size == 0:
            raise DataError(f"{path}: is empty; {ADVICE}")
        with gzip.open(path) as file:
            plain = file.read(size + 1)
    if len(plain) != size:
        what = f"more than {size}" if len(plain) > size else f"{len(plain)} instead of {size}"
        raise DataError(f"{path}: holds {what} bytes; {ADVICE}")
    return plain
