"""Find every entry point of group ``harness``, whatever state the installed metadata is in.

``importlib.metadata.entry_points`` would not do: one distribution with broken metadata ends its walk for all, and a
second distribution of the same name is dropped without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from harness.contract.registry.problems import Problem, Source, raised

GROUP = "harness"
_SECTION = re.compile(rf"^\s*\[\s*{GROUP}\s*\]", re.MULTILINE)


@dataclass
class Found:
    """All entry points, in the order of distribution and name, and what went wrong while looking."""

    points: list[tuple[EntryPoint, Source]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Installed:
    distribution: Distribution
    name: str
    version: str
    folder: Path

    @property
    def key(self) -> str:
        """The name as package indexes compare it; where there is none, every folder is its own."""
        return re.sub(r"[-_.]+", "-", self.name).lower() if self.name else str(self.folder)

    def is_copy_of(self, other: _Installed) -> bool:
        """Whether both are the same installed thing, seen twice."""
        return (self.folder, self.version) == (other.folder, other.version)

    def source(self, point: EntryPoint | None = None) -> Source:
        """Return where ``point`` comes from."""
        plugin, module = (point.name, point.value) if point else ("?", "?")
        return Source(plugin, module, self.name or "distribution without a name", self.version)


def find() -> Found:
    """Walk every distribution on ``sys.path``; of two with one name the first counts, as it does for imports."""
    found = Found()
    copies: dict[str, list[_Installed]] = {}
    for installed in _offering(found):
        known = copies.setdefault(installed.key, [])
        if any(installed.is_copy_of(other) for other in known):  # one folder may stand on the path twice
            continue
        if known:
            found.problems.append(_hidden(installed, known[0]))
        else:
            found.points.extend(_points(installed, found))
        known.append(installed)
    found.points.sort(key=lambda pair: (pair[1].distribution, pair[1].plugin))
    return found


def _offering(found: Found) -> Iterator[_Installed]:
    """Yield the distributions whose metadata names the group; a cheap look at a text file for all others."""
    for distribution in distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
        except Exception as error:  # noqa: BLE001  metadata in any state must not hide the others
            found.problems.append(raised(_installed(distribution).source(), error))
            continue
        if _SECTION.search(text):
            yield _installed(distribution)


def _installed(distribution: Distribution) -> _Installed:
    try:
        name, version = distribution.metadata["Name"], distribution.metadata["Version"]
    except Exception:  # noqa: BLE001  metadata in any state: its plugin is loaded, and its messages say that it has no name
        name, version = "", ""
    return _Installed(distribution, name or "", version or "?", Path(str(distribution.locate_file(""))).resolve())


def _points(installed: _Installed, found: Found) -> list[tuple[EntryPoint, Source]]:
    try:
        return [(point, installed.source(point)) for point in installed.distribution.entry_points.select(group=GROUP)]
    except Exception as error:  # noqa: BLE001  as above
        found.problems.append(raised(installed.source(), error))
        return []


def _hidden(installed: _Installed, winner: _Installed) -> Problem:
    points = _points(installed, Found())
    source = points[0][1] if points else installed.source()
    cause = f"installed twice: {installed.folder} is hidden by version {winner.version} in {winner.folder}"
    return Problem(source, cause, f"remove one of the two: pip uninstall {source.distribution}", warning=True)
