"""Every error that the harness raises on purpose. Each message names the thing, the cause and the next step."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable


class HarnessError(Exception):
    """The root of all errors raised on purpose: catch this to catch them all."""


class RequestError(HarnessError, ValueError):
    """The request was wrong (a bad value, an unknown name): the command line exits with 2."""


class InputOutputError(HarnessError):
    """Reading or writing failed (a full disk, a damaged or unreadable file): the command line exits with 74."""


class DataError(HarnessError):
    """A dataset's file is missing, cannot be fetched or is not what it should be: the command line exits with 74."""


class PluginError(HarnessError):
    """A plugin broke the rules of the registry or of the contract; ``step`` says what to do, where that is special."""

    def __init__(self, message: str, *, step: str = "") -> None:
        super().__init__(message)
        self.step = step


class Unsupported(HarnessError):  # noqa: N818  the contract's own name: an outcome, not a fault
    """A backend can never do this, on any machine."""


class Unavailable(HarnessError):  # noqa: N818  the contract's own name: an outcome, not a fault
    """A backend cannot do this here: a GPU, a compiler or a package is missing."""


def input_output_error(error: OSError, path: object = None) -> HarnessError:
    """Return what the operating system refused as one line that names the file, the cause and the next step.

    A name that is too long can be mended by whoever gave it, so it is a ``RequestError``. Everything else is an
    ``InputOutputError``. ``path`` is the file to name if the error itself names none.
    """
    name = error.filename if error.filename is not None else path
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    cause = error.strerror or str(error) or type(error).__name__
    text = str(name)
    start = "" if name is None else f"{text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + '...'}: "
    step = _STEPS.get(error.errno or 0, "")
    kind = RequestError if error.errno == errno.ENAMETOOLONG else InputOutputError
    return kind(f"{start}{cause}{'; ' if step else ''}{step}")


LONGEST_NAME = 200
"""How many characters of the name of a file a message shows."""
_STEPS = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "make room where the output or the files go, then repeat",
    errno.EDQUOT: "make room where the output or the files go, then repeat",
    errno.EFBIG: "make room where the output or the files go, then repeat",
    errno.EROFS: "this place is read-only; name another one",
    errno.EACCES: "change the permissions, or name another place",
    errno.EPERM: "change the permissions, or name another place",
    errno.EIO: "look at the disk, then repeat",
    errno.EMFILE: "raise the limit of open files (ulimit -n), then repeat",
}


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known word, or the list of all where none is close."""
    from difflib import get_close_matches  # noqa: PLC0415  only an error pays for this import

    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}" if names else "; none is known"


def clean(text: object) -> str:
    """Return ``text`` on one line without anything that could steer a terminal.

    White space is collapsed. Every other character that does not print (escape sequences, bidirectional marks, lone
    surrogates) is written as its Python escape, so that text from a plugin or a file can be read but does nothing.
    """
    line = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in line)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
