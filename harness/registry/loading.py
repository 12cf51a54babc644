"""Load every entry point of group ``harness``, each by itself, so that none can hide another.

pluggy is used for what it is good at, checking hook names and signatures, with a plugin manager of its own for each
entry point: in a shared one, the first entry point that raises would end the loading of all.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import pluggy

from harness.activations import Activation
from harness.dataset import Dataset
from harness.errors import PluginError
from harness.registry import hooks
from harness.spec import BackendSpec

GROUP = "harness"
Item = BackendSpec | Activation | Dataset
KINDS: dict[str, type[Item]] = {
    "harness_backends": BackendSpec,
    "harness_activations": Activation,
    "harness_datasets": Dataset,
}


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from, for messages and receipts."""

    plugin: str
    module: str
    distribution: str
    version: str

    def __str__(self) -> str:
        """Return the plugin with its distribution and version."""
        return f"plugin {self.plugin!r} ({self.distribution} {self.version})"


@dataclass(frozen=True)
class Problem:
    """Why a plugin, or one thing that it offers, is not there: cause and next step on one line."""

    source: Source
    cause: str
    step: str

    def __str__(self) -> str:
        """Return the whole line."""
        return " ".join(f"{self.source}: {self.cause}; {self.step}".split())


@dataclass
class Loaded:
    """All that one entry point gave before anything went wrong with it, and what went wrong."""

    source: Source
    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load_all() -> list[Loaded]:
    """Load every entry point, in the order of distribution and name."""
    found = entry_points(group=GROUP)
    return [_load(point) for point in sorted(found, key=lambda point: (_source(point).distribution, point.name))]


def _source(point: EntryPoint) -> Source:
    dist = point.dist
    name, version = (dist.name, dist.version) if dist else ("unknown distribution", "?")
    return Source(point.name, point.value, name, version)


def _load(point: EntryPoint) -> Loaded:
    loaded = Loaded(_source(point))
    try:
        module = point.load()
        loaded.items.extend(_items(point, module, loaded))
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a plugin raises must not hide the others
        loaded.problems.append(_problem(loaded.source, error))
    return loaded


def _problem(source: Source, error: BaseException) -> Problem:
    cause = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
    return Problem(source, cause, f"mend or uninstall it: pip uninstall {source.distribution}")


def _items(point: EntryPoint, module: ModuleType, loaded: Loaded) -> Iterable[Item]:
    manager = pluggy.PluginManager("harness")
    manager.add_hookspecs(hooks)
    _refuse_unusual_hooks(module)
    manager.register(module, name=point.name)
    manager.check_pending()
    for hook, kind in KINDS.items():
        for result in getattr(manager.hook, hook)():
            try:
                yield from _checked(hook, kind, result)
            except (Exception, SystemExit) as error:  # noqa: BLE001  as above; what came before it stays
                loaded.problems.append(_problem(loaded.source, error))


def _checked(hook: str, kind: type[Item], result: object) -> Iterator[Item]:
    if isinstance(result, str) or not isinstance(result, Iterable):
        raise PluginError(f"{hook} returned {type(result).__name__}, should yield {kind.__name__}")
    for item in result:
        if not isinstance(item, kind):
            raise PluginError(f"{hook} yielded {type(item).__name__} {item!r:.60}, should yield {kind.__name__}")
        yield item


def _refuse_unusual_hooks(module: ModuleType) -> None:
    """Refuse what pluggy would accept and then do wrong: wrappers, and arguments with a default."""
    for name, function in vars(module).items():
        marks = getattr(function, "harness_impl", None)
        if marks is None:
            continue
        if marks.get("wrapper") or marks.get("hookwrapper"):
            raise PluginError(f"{name} is a hook wrapper; write a plain @hookimpl that yields")
        if inspect.signature(function).parameters:
            raise PluginError(f"{name}{inspect.signature(function)} takes arguments; a harness hook takes none")


def editable_location(source: Source) -> str | None:
    """Return the folder of an editable install's module, for the receipt's git commit; ``None`` where not loaded."""
    module = sys.modules.get(source.module)
    return getattr(module, "__file__", None)
