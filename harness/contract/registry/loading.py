"""Loads every entry point of the group ``harness`` by itself, so that no plugin can hide another.

pluggy checks the names and signatures of hooks. Every entry point has a plugin manager of its own: in a shared one, the
first entry point that raises would end the loading of all.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint

import pluggy

from harness.contract.registry import hooks
from harness.contract.registry.checking import check_module, checked
from harness.contract.registry.discovery import find
from harness.contract.registry.faults import Fault, Source, raised
from harness.contract.registry.hooks import KINDS, Item
from harness.errors import PluginError

SLOW_SECONDS = 0.5
"""A plugin that takes longer is reported, because every command waits for it."""

MOST_ITEMS = 1000
"""A plugin that yields more is taken to yield for ever."""

_LOADING = ContextVar("harness plugins are being loaded", default=False)


@dataclass
class Loaded:
    """What one entry point yielded before its first fault, and its faults."""

    source: Source
    items: list[Item] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def load_all() -> tuple[list[Loaded], list[Fault]]:
    """Load every entry point, ordered by distribution and name; return also the faults of the discovery."""
    if _LOADING.get():
        step = "let it look up names and make networks in functions that are called later"
        raise PluginError("asks for what the plugins offer while they are being loaded", step=step)
    token = _LOADING.set(True)
    try:
        discovery = find()
        return [_load(point, source) for point, source in discovery.points], discovery.faults
    finally:
        _LOADING.reset(token)


def _load(point: EntryPoint, source: Source) -> Loaded:
    loaded = Loaded(source)
    begun = time.perf_counter()
    printed = io.StringIO()
    with redirect_stdout(printed), _guarded(loaded):
        _collect(_manager(point), loaded)
    loaded.faults.extend(_remarks(source, time.perf_counter() - begun, _text(printed)))
    return loaded


@contextmanager
def _guarded(loaded: Loaded) -> Iterator[None]:
    """Turn any exception of a plugin into a fault, ``SystemExit`` too. Only the user's Ctrl-C is raised again."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  whatever a plugin raises must not hide the others
        loaded.faults.append(raised(loaded.source, error))


def _manager(point: EntryPoint) -> pluggy.PluginManager:
    if not point.pattern.match(point.value):
        raise PluginError(f"its entry point {point.value!r} should be the name of a module")
    module = check_module(point.load())
    manager = pluggy.PluginManager("harness")
    manager.add_hookspecs(hooks)
    manager.register(module, name=point.name)
    manager.check_pending()
    return manager


def _collect(manager: pluggy.PluginManager, loaded: Loaded) -> None:
    """Call every hook of the plugin, each guarded by itself; what it yielded before a fault is kept."""
    for name in KINDS:
        hook = getattr(manager.hook, name)
        if hook.get_hookimpls():
            with _guarded(loaded):
                for item in checked(name, hook()):  # extend may lose the items before an exception
                    loaded.items.append(item)
                    _check_end(name, loaded)


def _check_end(hook: str, loaded: Loaded) -> None:
    if len(loaded.items) > MOST_ITEMS:
        loaded.items.clear()
        raise PluginError(f"{hook} yields more than {MOST_ITEMS} things: does it ever end?")


def _text(printed: io.StringIO) -> str:
    return "" if printed.closed else printed.getvalue()  # a plugin may close its standard output


def _remarks(source: Source, seconds: float, printed: str) -> Iterator[Fault]:
    if seconds > SLOW_SECONDS:
        step = "its module should import harness and the standard library only"
        yield Fault(source, f"took {seconds:.1f} s to load", step, warning=True)
    if printed.strip():
        step = "its module should print nothing when it is imported"
        yield Fault(source, f"printed {printed.strip()[:60]!r}", step, warning=True)
