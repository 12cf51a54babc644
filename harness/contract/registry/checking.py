"""What the registry demands of a plugin's module, its hooks and what they yield."""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from harness.contract.registry.hooks import KINDS, Item
from harness.contract.vocabulary import WORD
from harness.errors import PluginError, nearest


def check_module(module: object) -> ModuleType:
    """Refuse what pluggy would accept and then call wrongly, and what it would ignore without a message."""
    if not isinstance(module, ModuleType):
        raise PluginError(f"its entry point names a {type(module).__name__}, should name a module")
    marks = {name: _marks(value) for name, value in vars(module).items()}
    for name, function in vars(module).items():
        _check_function(name, function, marks[name])
    if not any(mark is not None for mark in marks.values()):
        raise PluginError("its module has no function marked @hookimpl, so it offers nothing")
    return module


def _marks(value: object) -> dict[str, Any] | None:
    """Return the marks that ``@hookimpl`` put on a function, or ``None`` where the value is no hook."""
    marks = getattr(value, "harness_impl", None) if inspect.isroutine(value) else None
    return marks if isinstance(marks, dict) else None


def _check_function(name: str, function: Any, marks: dict[str, Any] | None) -> None:
    if marks is None:
        if inspect.isfunction(function) and name in KINDS:
            raise PluginError(f"{name} lacks its @hookimpl, so it would never be called")
        return
    hook = marks.get("specname") or name
    if hook not in KINDS:
        raise PluginError(f"{hook} is no hook of the harness{nearest(hook, KINDS)}")
    if marks.get("wrapper") or marks.get("hookwrapper"):
        raise PluginError(f"{name} is a hook wrapper; write a plain @hookimpl that yields")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(f"{name} is async; write a plain function that yields")
    if inspect.signature(function).parameters:
        raise PluginError(f"{name}{inspect.signature(function)} takes arguments; a harness hook takes none")


def checked(hook: str, results: list[object]) -> Iterator[Item]:
    """Yield the items that the hook gave, each checked, so that the items before a bad one are kept."""
    wanted = KINDS[hook].__name__
    if not results:  # pluggy drops None
        raise PluginError(f"{hook} returned None, should yield {wanted}")
    for result in results:
        if isinstance(result, (str, bytes)) or not isinstance(result, Iterable):
            raise PluginError(f"{hook} returned {type(result).__name__}, should yield {wanted}")
        for item in result:
            yield _item(hook, item)


def _item(hook: str, item: object) -> Item:
    kind = KINDS[hook]
    if not isinstance(item, kind):
        raise PluginError(f"{hook} yielded {type(item).__name__} {reprlib.repr(item)}, should yield {kind.__name__}")
    if not isinstance(item.name, str) or not WORD.fullmatch(item.name):
        raise PluginError(f"{hook} yielded the name {reprlib.repr(item.name)}: use a-z, 0-9, - and _ only")
    return item
