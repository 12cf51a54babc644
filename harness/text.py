"""Text from outside on its way to a terminal."""

from __future__ import annotations


def clean(text: object) -> str:
    """Return ``text`` on one line with nothing in it that steers a terminal.

    White space is collapsed; every other character that does not print (escape sequences, bidirectional marks,
    lone surrogates) is shown as its Python escape, so that what a plugin or a file says can be read and not obeyed.
    """
    line = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in line)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
