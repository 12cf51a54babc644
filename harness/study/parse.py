"""From a document to a ``Study``: read every key and name every problem."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from harness.contract.vocabulary import mismatch
from harness.study import axes, values
from harness.study.catalogue import Catalogue
from harness.study.document import Document
from harness.study.entries import read_entries, read_rules
from harness.study.model import Study
from harness.study.reader import Reader
from harness.study.values import Read

SINGLES: dict[str, tuple[Read, object]] = {
    "title": (values.text, ""),
    "about": (values.prose, ""),
    "epochs": (values.whole(1, 10**6), 3),
    "rounds": (values.whole(1, 10**4), 3),
    "history": (values.boolean, False),
    "time_limit": (values.duration, 60.0),
    "memory_limit": (values.size, None),
}
"""Keys that take one value: the function that reads it, and the value if the file does not give one."""

KEYS = (*SINGLES, *axes.DEFAULTS, "include", "exclude", "backend")


def parse(document: Document, name: str, catalogue: Catalogue) -> Study:
    """Return the study that the document describes; all problems are one ``RequestError`` with a line for each."""
    reader = Reader(document)
    data = document.data
    reader.unknown_keys((), data, KEYS)
    single: dict[str, Any] = {
        key: reader.one(read, (key,), data[key]) if key in data else default for key, (read, default) in SINGLES.items()
    }
    read = axes.readers(catalogue)
    every: dict[str, Any] = {
        key: reader.axis(read[key], (key,), data.get(key, default)) for key, default in axes.DEFAULTS.items()
    }
    _check_pairings(reader, catalogue, every)
    entries = read_entries(reader, catalogue)
    rules: dict[str, Any] = {key: read_rules(reader, key, catalogue, entries) for key in ("include", "exclude")}
    reader.finish()
    return Study(
        name=name,
        **{**single, "title": single["title"] or name},
        **every,
        **rules,
        backends=entries.backends,
        asked=document.asked,
        text=document.text,
        overrides=document.overrides,
        left_out=entries.left_out,
    )


def _check_pairings(reader: Reader, catalogue: Catalogue, every: Mapping[str, Any]) -> None:
    """Note every loss that cannot follow the last activation of a network."""
    for network, loss in itertools.product(every["networks"], every["loss"]):
        reason = mismatch(loss, catalogue.activations[network.last(loss)])
        if reason:
            reader.problem(("networks",), network.output, reason)
