"""``Side``: what the words A and B of ``harness compare`` mean, and whether the two can be compared at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from harness.errors import RequestError, nearest
from harness.store import Stored

Kind: TypeAlias = Literal["store", "backend", "label", "commit"]
KINDS: tuple[str, ...] = get_args(Kind)
WORD = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<pins>[^\[\]]*)\])?")
COMMIT = re.compile(r"[0-9a-f]{4,40}")
AXES = ("workers", "batch")
"""Besides options, what may stand between the brackets of a backend."""


@dataclass(frozen=True)
class Side:
    """One side: the word it was asked for by, and its rows."""

    kind: Kind
    word: str
    rows: tuple[Stored, ...]
    pinned: frozenset[str] = field(default_factory=frozenset)
    """Axes that the word itself fixes, so that the other side may have another value."""

    @property
    def machines(self) -> frozenset[str]:
        """The machines that measured it."""
        return frozenset(one.row.machine for one in self.rows)


def resolve(word: str, newest: Sequence[Stored], counting: Sequence[Stored]) -> Side:
    """Return what a word means in a store: a backend, a label or a commit; ``kind:word`` says which.

    ``newest`` are the rows of the newest code, ``counting`` those of every code and label.
    """
    kind, colon, name = word.partition(":")
    if colon and kind in KINDS[1:]:
        found = _meanings(name, newest, counting).get(kind)
        if found is None:
            raise RequestError(f"{word!r}: this store has no such {kind}{_known(kind, newest, counting, name)}")
        return found
    meanings = _meanings(word, newest, counting)
    if len(meanings) > 1:
        choices = " or ".join(f"{kind}:{word}" for kind in meanings)
        raise RequestError(f"{word!r} means several things in this store: write {choices}")
    if not meanings:
        raise RequestError(f"{word!r}: this store has no backend, label or commit of that name{_all(newest, counting)}")
    return next(iter(meanings.values()))


def _meanings(word: str, newest: Sequence[Stored], counting: Sequence[Stored]) -> dict[str, Side]:
    found: dict[str, Side] = {}
    name, pins = spelled(word)
    if any(one.row.cell.backend == name for one in newest):
        found["backend"] = _backend(word, name, pins, newest)
    labelled = tuple(one for one in counting if one.label == word) if word else ()
    if labelled:
        found["label"] = Side("label", word, labelled)
    commits = {commit for one in counting for commit in commits_of(one) if commit.startswith(word)}
    if COMMIT.fullmatch(word) and commits:
        found["commit"] = _commit(word, commits, counting)
    return found


def commits_of(one: Stored) -> frozenset[str]:
    """Return the commits that a row's receipt names, of the harness and of the backend's plugin."""
    origin = one.row.receipt.get("origin", {})
    named = [part.get("commit") for part in origin.values() if isinstance(part, Mapping)]
    return frozenset(commit for commit in named if isinstance(commit, str) and commit)


def _commit(word: str, commits: Iterable[str], counting: Sequence[Stored]) -> Side:
    several = sorted(commits)
    if len(several) > 1:
        raise RequestError(f"{word!r} begins several commits of this store: {', '.join(one[:12] for one in several)}")
    return Side("commit", word, tuple(one for one in counting if several[0] in commits_of(one)))


def spelled(word: str) -> tuple[str, dict[str, str]]:
    """Take ``name[option=value,workers=2]`` apart; a word that is not written so is a name without brackets."""
    parts = WORD.fullmatch(word)
    if parts is None or parts["pins"] is None:
        return word, {}
    pairs = [pair.partition("=") for pair in re.split("[,;]", parts["pins"]) if pair]
    if not all(name and equals and value for name, equals, value in pairs):
        raise RequestError(f"{word!r}: write NAME or NAME[option=value,workers=2]")
    return parts["name"], {name.strip(): value.strip() for name, _, value in pairs}


def _backend(word: str, name: str, pins: Mapping[str, str], rows: Sequence[Stored]) -> Side:
    """Return the rows of a backend with these values, one configuration of it, or say which there are."""
    mine = [one for one in rows if one.row.cell.backend == name]
    for pin, value in pins.items():
        known = {*AXES, *(option for one in mine for option in one.row.cell.options)}
        if pin not in known:
            raise RequestError(f"{word!r}: backend {name!r} has no option {pin!r}{nearest(pin, known)}")
        kept = [one for one in mine if value_of(one, pin) == value]
        if not kept:
            there = sorted({value_of(one, pin) for one in mine})
            raise RequestError(f"{word!r}: no row has {pin}={value}; there is {pin}={', '.join(there)}")
        mine = kept
    several = sorted({_spelled(one) for one in mine})
    if len(several) > 1:
        choices = " or ".join(f"{name}[{options}]" for options in several)
        raise RequestError(f"{word!r} has several configurations in this store: write {choices}")
    return Side("backend", word, tuple(mine), frozenset(pins) & frozenset(AXES))


def value_of(one: Stored, pin: str) -> str:
    """Return the value of an axis or an option of a row as it is typed."""
    cell = one.row.cell
    return str(getattr(cell, pin) if pin in AXES else cell.options.get(pin, ""))


def _spelled(one: Stored) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(one.row.cell.options.items()))


def _known(kind: str, newest: Sequence[Stored], counting: Sequence[Stored], name: str) -> str:
    names = {
        "backend": {one.row.cell.backend for one in newest},
        "label": {one.label for one in counting if one.label},
        "commit": {commit[:12] for one in counting for commit in commits_of(one)},
    }
    return nearest(name, names[kind])


def _all(newest: Sequence[Stored], counting: Sequence[Stored]) -> str:
    told = []
    for kind in KINDS[1:]:
        known = _known(kind, newest, counting, "").removeprefix("; known: ")
        told += [] if known.startswith(";") else [f"{kind}s: {known}"]
    return f"; {'; '.join(told)}" if told else "; it holds no rows"
