"""Who has a name: what all plugins yielded, collected by kind and name."""

from __future__ import annotations

from typing import TypeVar

from harness.contract.registry.hooks import Item
from harness.contract.registry.loading import Loaded
from harness.contract.registry.problems import Problem, Source

T = TypeVar("T", bound=Item)

CORE = "backprop-harness"
"""The distribution whose names nobody can claim: the contract says what ``sigmoid`` is."""


def items(claims: dict[str, tuple[T, Source]]) -> dict[str, T]:
    """Return what was claimed, without where it comes from."""
    return {name: item for name, (item, _) in claims.items()}


def by_name(loaded: list[Loaded], kind: type[T], problems: list[Problem]) -> dict[str, tuple[T, Source]]:
    """Collect items of one kind by name; where two claim one name, both are refused and both are named."""
    claims: dict[str, list[tuple[T, Source]]] = {}
    for one in loaded:
        for item in one.items:
            if isinstance(item, kind):
                claims.setdefault(item.name, []).append((item, one.source))
    found: dict[str, tuple[T, Source]] = {}
    for name, rivals in sorted(claims.items()):
        core = [claim for claim in rivals if claim[1].distribution == CORE]
        sources = [source for _, source in rivals]
        if len(rivals) == 1 or len(core) == 1:
            found[name] = (core or rivals)[0]
            sources.remove(found[name][1])
            problems.extend(_taken(kind, name, source) for source in sources)
        else:
            problems.extend(_rivalry(kind, name, sources))
    return found


def _taken(kind: type, name: str, source: Source) -> Problem:
    return Problem(source, f"{_word(kind)} {name!r} is the harness's own", "give it another name", name)


def _rivalry(kind: type, name: str, sources: list[Source]) -> list[Problem]:
    what = f"{_word(kind)} {name!r}"
    if len({source.distribution for source in sources}) == 1:
        return [Problem(sources[0], f"{what} is yielded {len(sources)} times", "give each a name of its own", name)]
    claimed = " and ".join(f"{source.distribution} {source.version}" for source in sources)
    cause = f"{what} is claimed by {claimed}, so none is used"
    return [Problem(source, cause, f"keep one: pip uninstall {source.distribution}", name) for source in sources]


def _word(kind: type) -> str:
    return kind.__name__.removesuffix("Spec").lower()
