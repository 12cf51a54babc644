"""Known failures: named with their reason by the plugin's owner, and strict, so that none outlives its cause.

A key is a check's name with or without its case, ``"keeps_to_its_threads"`` or ``"an_epoch[8]"``, and may be tied to
some configurations by words after an ``@``: ``"keeps_to_its_threads @ device=cuda"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def reason_for(known: Mapping[str, str], name: str, configuration: str) -> str | None:
    """Return why this check may fail in this configuration, or ``None`` where it may not."""
    return next((known[key] for key in known if matches(key, name, configuration)), None)


def matches(key: str, name: str, configuration: str) -> bool:
    """Return whether a key means this check in this configuration."""
    check, _, words = (part.strip() for part in key.partition("@"))
    same = check in (name, name.partition("[")[0])
    return same and set(words.split()) <= set(configuration.split())


def stale(known: Mapping[str, str], ran: Iterable[tuple[str, str]]) -> list[str]:
    """Return the keys that meant no check at all: ``ran`` has the name and the configuration of each."""
    checks = list(ran)
    return [key for key in known if not any(matches(key, *check) for check in checks)]
