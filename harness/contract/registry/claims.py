"""Decides which plugin owns a name, where several plugins may claim it."""

from __future__ import annotations

from typing import TypeVar

from harness.contract.registry.faults import Fault, Source
from harness.contract.registry.hooks import Item
from harness.contract.registry.loading import Loaded

T = TypeVar("T", bound=Item)

CORE = "backprop-harness"
"""Nobody else can claim a name of this distribution: the contract says what ``sigmoid`` is."""


def items(claims: dict[str, tuple[T, Source]]) -> dict[str, T]:
    """Return the items alone, without their sources."""
    return {name: item for name, (item, _) in claims.items()}


def by_name(loaded: list[Loaded], kind: type[T], faults: list[Fault]) -> dict[str, tuple[T, Source]]:
    """Collect items of one kind by name; where two claim one name, both are refused and both are named."""
    claims: dict[str, list[tuple[T, Source]]] = {}
    for plugin in loaded:
        for item in plugin.items:
            if isinstance(item, kind):
                claims.setdefault(item.name, []).append((item, plugin.source))
    owners: dict[str, tuple[T, Source]] = {}
    for name, rivals in sorted(claims.items()):
        core = [claim for claim in rivals if claim[1].distribution == CORE]
        sources = [source for _, source in rivals]
        if len(rivals) == 1 or len(core) == 1:
            owners[name] = (core or rivals)[0]
            sources.remove(owners[name][1])
            faults.extend(_taken(kind, name, source) for source in sources)
        else:
            faults.extend(_rivalry(kind, name, sources))
    return owners


def _taken(kind: type, name: str, source: Source) -> Fault:
    return Fault(source, f"{_word(kind)} {name!r} is the harness's own", "give it another name", name)


def _rivalry(kind: type, name: str, sources: list[Source]) -> list[Fault]:
    what = f"{_word(kind)} {name!r}"
    if len({source.distribution for source in sources}) == 1:
        return [Fault(sources[0], f"{what} is yielded {len(sources)} times", "give each a name of its own", name)]
    claimed = " and ".join(f"{source.distribution} {source.version}" for source in sources)
    cause = f"{what} is claimed by {claimed}, so none is used"
    return [Fault(source, cause, f"keep one: pip uninstall {source.distribution}", name) for source in sources]


def _word(kind: type) -> str:
    return kind.__name__.removesuffix("Spec").lower()
