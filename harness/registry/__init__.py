"""Names to things: backends, activations and datasets of every installed plugin. Loaded once a process."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from harness.errors import PluginError, RequestError, Unavailable, nearest
from harness.registry.loading import Item, Loaded, Problem, Source, load_all
from harness.spec import BackendSpec

if TYPE_CHECKING:
    from harness.activations import Activation
    from harness.backend import Backend
    from harness.dataset import Dataset

T = TypeVar("T", bound=Item)


@dataclass(frozen=True)
class Registry:
    """Everything that the installed plugins offer, by name, sorted; and what went wrong."""

    backends: dict[str, BackendSpec]
    activations: dict[str, Activation]
    datasets: dict[str, Dataset]
    sources: dict[str, Source]
    """Where each backend comes from, by its name."""
    problems: tuple[Problem, ...]


@cache
def registry() -> Registry:
    """Return the registry of this process, loading the plugins' light modules at the first call."""
    from harness.activations import Activation  # noqa: PLC0415
    from harness.dataset import Dataset  # noqa: PLC0415

    loaded = load_all()
    problems = [problem for one in loaded for problem in one.problems]
    sources: dict[str, Source] = {}
    return Registry(
        backends=_by_name(loaded, BackendSpec, problems, sources),
        activations=_by_name(loaded, Activation, problems),
        datasets=_by_name(loaded, Dataset, problems),
        sources=sources,
        problems=tuple(problems),
    )


def _by_name(
    loaded: list[Loaded], kind: type[T], problems: list[Problem], sources: dict[str, Source] | None = None
) -> dict[str, T]:
    """Collect items of one kind by name; where two claim one name, both are refused and both are named."""
    claims: dict[str, list[tuple[T, Source]]] = {}
    for one in loaded:
        for item in one.items:
            if isinstance(item, kind):
                claims.setdefault(item.name, []).append((item, one.source))
    found: dict[str, T] = {}
    for name, rivals in sorted(claims.items()):
        if len(rivals) > 1:
            problems.extend(_rivalry(kind, name, [source for _, source in rivals]))
            continue
        found[name] = rivals[0][0]
        if sources is not None:
            sources[name] = rivals[0][1]
    return found


def _rivalry(kind: type, name: str, sources: list[Source]) -> list[Problem]:
    what = kind.__name__.removesuffix("Spec").lower()
    claimed = " and ".join(f"{source.distribution} {source.version}" for source in sources)
    cause = f"{what} {name!r} is claimed by {claimed}, so none is used"
    return [Problem(source, cause, "uninstall all but one") for source in sources]


def backends() -> dict[str, BackendSpec]:
    """Return ``{name: BackendSpec}`` of every healthy plugin, sorted by name; imports no implementation."""
    return dict(registry().backends)


def spec(name: str) -> BackendSpec:
    """Return one backend's spec; an unknown name is a ``RequestError`` with the nearest right one."""
    return _named("backend", name, registry().backends)


def activation(name: str) -> Activation:
    """Return one activation by name."""
    return _named("activation", name, registry().activations)


def dataset(name: str) -> Dataset:
    """Return one dataset by name."""
    return _named("dataset", name, registry().datasets)


def _named(what: str, name: str, known: dict[str, T]) -> T:
    if name not in known:
        raise RequestError(f"unknown {what} {name!r}{nearest(str(name), known)}")
    return known[name]


def missing(wanted: BackendSpec) -> str | None:
    """Return why the backend cannot run here as far as its ``requires`` tell, or ``None``; imports nothing heavy."""
    absent = [name for name in wanted.requires if not _importable(name)]
    if not absent:
        return None
    hint = f"; install with: {wanted.install}" if wanted.install else ""
    return f"needs {', '.join(absent)}, which cannot be imported{hint}"


def _importable(name: str) -> bool:
    top, _, _ = name.partition(".")
    return importlib.util.find_spec(top) is not None


def get_backend(name: str) -> type[Backend]:
    """Return a backend's class by name, importing its implementation; sets no environment by itself."""
    wanted = spec(name)
    reason = missing(wanted)
    if reason:
        raise Unavailable(f"{name} {reason}")
    return implementation(wanted.implementation, wanted.name)


def implementation(path: str, name: str) -> type[Backend]:
    """Import ``"module:Class"`` and return the class; anything but a complete ``Backend`` is a ``PluginError``."""
    from harness.backend import Backend  # noqa: PLC0415  loads NumPy

    module_name, _, class_name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"backend {name!r}: implementation {path!r} cannot be loaded: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Backend)):
        raise PluginError(f"backend {name!r}: {path!r} is not a subclass of harness.Backend")
    absent = sorted(getattr(found, "__abstractmethods__", ()))
    if absent:
        raise PluginError(f"backend {name!r}: {path!r} lacks {', '.join(absent)}")
    return found
