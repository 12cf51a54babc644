"""Finds every entry point of the group ``harness``, even where the metadata of some distributions is broken.

``importlib.metadata.entry_points`` cannot be used: it stops at the first distribution with broken metadata, and it
drops a second distribution of the same name without a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from harness.contract.registry.faults import Fault, Source, raised

GROUP = "harness"
_SECTION = re.compile(rf"^\s*\[\s*{GROUP}\s*\]", re.MULTILINE)


@dataclass
class Discovery:
    """All entry points, ordered by distribution and name, and the faults that were met on the way."""

    points: list[tuple[EntryPoint, Source]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class _Installed:
    distribution: Distribution
    name: str
    version: str
    folder: Path

    @property
    def key(self) -> str:
        """The name in the form that package indexes compare, or the folder where the metadata has no name."""
        return re.sub(r"[-_.]+", "-", self.name).lower() if self.name else str(self.folder)

    def is_copy_of(self, other: _Installed) -> bool:
        """Whether both are one installation that was seen twice."""
        return (self.folder, self.version) == (other.folder, other.version)

    def source(self, point: EntryPoint | None = None) -> Source:
        """Return where ``point`` comes from."""
        plugin, module = (point.name, point.value) if point else ("?", "?")
        return Source(plugin, module, self.name or "distribution without a name", self.version)


def find() -> Discovery:
    """Look at every distribution on ``sys.path``; where two have one name, the first is used, as for imports."""
    discovery = Discovery()
    copies: dict[str, list[_Installed]] = {}
    for installed in _offering(discovery):
        known = copies.setdefault(installed.key, [])
        if any(installed.is_copy_of(other) for other in known):  # one folder may stand on the path twice
            continue
        if known:
            discovery.faults.append(_hidden(installed, known[0]))
        else:
            discovery.points.extend(_points(installed, discovery))
        known.append(installed)
    discovery.points.sort(key=lambda pair: (pair[1].distribution, pair[1].plugin))
    return discovery


def _offering(discovery: Discovery) -> Iterator[_Installed]:
    """Yield the distributions whose metadata names the group; of all others only one text file is read."""
    for distribution in distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
        except Exception as error:  # noqa: BLE001  metadata in any state must not hide the others
            discovery.faults.append(raised(_installed(distribution).source(), error))
            continue
        if _SECTION.search(text):
            yield _installed(distribution)


def _installed(distribution: Distribution) -> _Installed:
    try:
        name, version = distribution.metadata["Name"], distribution.metadata["Version"]
    except Exception:  # noqa: BLE001  metadata in any state: its plugin is loaded, and its messages say that it has no name
        name, version = "", ""
    return _Installed(distribution, name or "", version or "?", Path(str(distribution.locate_file(""))).resolve())


def _points(installed: _Installed, discovery: Discovery) -> list[tuple[EntryPoint, Source]]:
    try:
        return [(point, installed.source(point)) for point in installed.distribution.entry_points.select(group=GROUP)]
    except Exception as error:  # noqa: BLE001  as above
        discovery.faults.append(raised(installed.source(), error))
        return []


def _hidden(installed: _Installed, winner: _Installed) -> Fault:
    points = _points(installed, Discovery())
    source = points[0][1] if points else installed.source()
    cause = f"installed twice: {installed.folder} is hidden by version {winner.version} in {winner.folder}"
    return Fault(source, cause, f"remove one of the two: pip uninstall {source.distribution}", warning=True)
