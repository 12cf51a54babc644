"""``module:Class`` without a plugin: its spec, made from what is known before and after the class is imported."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract.environment import library_threads
from harness.contract.options import Values
from harness.contract.spec import BackendSpec
from harness.contract.vocabulary import API, RESERVED
from harness.errors import PluginError, RequestError

if TYPE_CHECKING:
    from harness.contract.backend import Backend


UNKNOWN = "as-in-the-class"
"""Stands for a default that is unknown until the class is imported."""


def before_import(path: str, options: Mapping[str, str]) -> BackendSpec:
    """Return a spec that accepts the named options with any value; import nothing."""
    return _spec(path, {name: RESERVED.get(name, (UNKNOWN, ...)) for name in options})


def after_import(path: str, cls: type[Backend]) -> BackendSpec:
    """Return a spec with the options that the class names; each has its default as the only listed value."""
    keywords = [option for option in inspect.signature(cls).parameters.values() if option.kind is option.KEYWORD_ONLY]
    named = {option.name: option.default for option in keywords if option.name != "workers"}
    for name, default in named.items():
        if type(default) not in (str, int):
            raise RequestError(f"{path}: option {name}={default!r} needs a default that is a str or an int")
    return _spec(path, {name: RESERVED.get(name, (default, ...)) for name, default in named.items()})


def importable_from_here() -> None:
    """Let modules of the current directory be imported; installed modules come first."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)


def _spec(path: str, options: Mapping[str, Values]) -> BackendSpec:
    try:
        return BackendSpec(
            api=API,
            name=re.sub("[^a-z0-9]+", "-", path.rpartition(":")[2].lower()).strip("-") or "class",
            implementation=path,
            summary="a class without a plugin",
            parallel="matrix",
            algebra="library",
            options=options,
            environment=library_threads,
        )
    except PluginError as error:
        raise RequestError(f"{path}: {error}") from error
