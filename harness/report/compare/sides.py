"""``Side``: what the words A and B of ``harness compare`` mean, and whether the two can be compared."""

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
"""What may stand between the brackets of a backend, besides its options."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: the word that the user gave, and the rows that it means."""

    kind: Kind
    word: str
    rows: tuple[Stored, ...]
    pinned: frozenset[str] = field(default_factory=frozenset)
    """Axes that the word itself fixes. The other side may have another value there."""

    @property
    def machines(self) -> frozenset[str]:
        """The machines that measured the rows."""
        return frozenset(stored.row.machine for stored in self.rows)


def check_comparable(a: Side, b: Side, *, across_machines: bool) -> frozenset[str]:
    """Return the axes in which the cells of two sides need not agree; refuse sides that cannot be compared.

    These are sides of two kinds, sides without rows, sides that share rows, and sides without a common machine.
    """
    if (a.kind == "backend") != (b.kind == "backend"):
        raise RequestError(f"{a.word!r} is a {a.kind} and {b.word!r} a {b.kind}: compare two of one kind")
    for side in (a, b):
        if not side.rows:
            raise RequestError(f"{side.word}: no rows to compare")
    _refuse_shared_rows(a, b)
    ignored = {"backend", "options"} if a.kind == "backend" else set()
    ignored |= a.pinned | b.pinned
    if not a.machines & b.machines and not across_machines:
        here, there = (", ".join(sorted(side.machines)) for side in (a, b))
        raise RequestError(
            f"{a.word} was measured on {here}, {b.word} on {there}: times of different machines say nothing about "
            "code; measure both on one, or compare the machines themselves with --across-machines"
        )
    if across_machines and a.machines != b.machines:
        ignored.add("machine")
        for side in (a, b):
            if len(side.machines) > 1:
                raise RequestError(
                    f"{side.word} has several machines, so --across-machines cannot tell which is meant: "
                    f"{', '.join(sorted(side.machines))}; use a store with one"
                )
    return frozenset(ignored)


def _refuse_shared_rows(a: Side, b: Side) -> None:
    """Refuse to compare rows with themselves: their ratio is 1 whatever was measured."""
    count = len(set(map(_identity, a.rows)) & set(map(_identity, b.rows)))
    if count:
        raise RequestError(
            f"{a.word} and {b.word}: {count} {'row is' if count == 1 else 'rows are'} on both sides and would be "
            "compared with themselves; name two sides without common rows"
        )


def _identity(stored: Stored) -> tuple[object, ...]:
    row = stored.row
    return stored.run, row.cell.key, row.round, row.started, row.state, row.epoch_seconds


def resolve(word: str, newest: Sequence[Stored], counting: Sequence[Stored]) -> Side:
    """Return what a word means in a store: a backend, a label or a commit. ``kind:word`` names the kind.

    ``newest`` are the rows of the newest code; ``counting`` are those of every code and label.
    """
    kind, colon, name = word.partition(":")
    if colon and kind in KINDS[1:]:
        meaning = _meanings(name, newest, counting).get(kind)
        if meaning is None:
            raise RequestError(f"{word!r}: this store has no such {kind}{_known(kind, newest, counting, name)}")
        return meaning
    meanings = _meanings(word, newest, counting)
    if len(meanings) > 1:
        choices = " or ".join(f"{kind}:{word}" for kind in meanings)
        raise RequestError(f"{word!r} means several things in this store: write {choices}")
    if not meanings:
        raise RequestError(f"{word!r}: this store has no backend, label or commit of that name{_all(newest, counting)}")
    return next(iter(meanings.values()))


def _meanings(word: str, newest: Sequence[Stored], counting: Sequence[Stored]) -> dict[str, Side]:
    meanings: dict[str, Side] = {}
    name, pins = spelled(word)
    if any(stored.row.cell.backend == name for stored in newest):
        meanings["backend"] = _backend(word, name, pins, newest)
    labelled = tuple(stored for stored in counting if stored.label == word) if word else ()
    if labelled:
        meanings["label"] = Side("label", word, labelled)
    commits = {commit for stored in counting for commit in commits_of(stored) if commit.startswith(word)}
    if COMMIT.fullmatch(word) and commits:
        meanings["commit"] = _commit(word, commits, counting)
    return meanings


def commits_of(stored: Stored) -> frozenset[str]:
    """Return the commits that the receipt of a row names: of the harness and of the backend's plugin."""
    origin = stored.row.receipt.get("origin", {})
    named = [part.get("commit") for part in origin.values() if isinstance(part, Mapping)]
    return frozenset(commit for commit in named if isinstance(commit, str) and commit)


def _commit(word: str, commits: Iterable[str], counting: Sequence[Stored]) -> Side:
    several = sorted(commits)
    if len(several) > 1:
        raise RequestError(
            f"{word!r} begins several commits of this store: {', '.join(commit[:12] for commit in several)}"
        )
    return Side("commit", word, tuple(stored for stored in counting if several[0] in commits_of(stored)))


def spelled(word: str) -> tuple[str, dict[str, str]]:
    """Split ``name[option=value,workers=2]`` into name and values; any other word is a name without values."""
    parts = WORD.fullmatch(word)
    if parts is None or parts["pins"] is None:
        return word, {}
    pairs = [pair.partition("=") for pair in re.split("[,;]", parts["pins"]) if pair]
    if not all(name and equals and value for name, equals, value in pairs):
        raise RequestError(f"{word!r}: write NAME or NAME[option=value,workers=2]")
    return parts["name"], {name.strip(): value.strip() for name, _, value in pairs}


def _backend(word: str, name: str, pins: Mapping[str, str], rows: Sequence[Stored]) -> Side:
    """Return the rows of one configuration of a backend; refuse with the choices if several have these values."""
    mine = [stored for stored in rows if stored.row.cell.backend == name]
    for pin, value in pins.items():
        known = {*AXES, *(option for stored in mine for option in stored.row.cell.options)}
        if pin not in known:
            raise RequestError(f"{word!r}: backend {name!r} has no option {pin!r}{nearest(pin, known)}")
        kept = [stored for stored in mine if _value_of(stored, pin) == value]
        if not kept:
            there = sorted({_value_of(stored, pin) for stored in mine})
            raise RequestError(f"{word!r}: no row has {pin}={value}; there is {pin}={', '.join(there)}")
        mine = kept
    several = sorted({_spelled(stored) for stored in mine})
    if len(several) > 1:
        choices = " or ".join(f"{name}[{options}]" for options in several)
        raise RequestError(f"{word!r} has several configurations in this store: write {choices}")
    return Side("backend", word, tuple(mine), frozenset(pins) & frozenset(AXES))


def _value_of(stored: Stored, pin: str) -> str:
    """Return the value of an axis or an option of a row as the user would type it."""
    cell = stored.row.cell
    return str(getattr(cell, pin) if pin in AXES else cell.options.get(pin, ""))


def _spelled(stored: Stored) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(stored.row.cell.options.items()))


def _known(kind: str, newest: Sequence[Stored], counting: Sequence[Stored], name: str) -> str:
    names = {
        "backend": {stored.row.cell.backend for stored in newest},
        "label": {stored.label for stored in counting if stored.label},
        "commit": {commit[:12] for stored in counting for commit in commits_of(stored)},
    }
    return nearest(name, names[kind])


def _all(newest: Sequence[Stored], counting: Sequence[Stored]) -> str:
    told = []
    for kind in KINDS[1:]:
        known = _known(kind, newest, counting, "").removeprefix("; known: ")
        told += [] if known.startswith(";") else [f"{kind}s: {known}"]
    return f"; {'; '.join(told)}" if told else "; it holds no rows"
