"""From a spec to its class: what is missing here, and the import that only a worker makes."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING

from harness.contract.registry.problems import Source, said
from harness.errors import PluginError, Unavailable, Unsupported, nearest

if TYPE_CHECKING:
    from harness.contract.backend import Backend
    from harness.contract.spec import BackendSpec


def missing(wanted: BackendSpec) -> str | None:
    """Return why the backend cannot run here as far as can be told without importing it, or ``None``."""
    absent = [name for name in wanted.requires if not _importable(name)]
    if absent:
        hint = f"; install with: {wanted.install}" if wanted.install else ""
        return f"needs {', '.join(absent)}, which cannot be imported{hint}"
    module, _, _ = wanted.implementation.partition(":")
    parent, _, _ = module.rpartition(".")
    if (not parent or parent in sys.modules) and not _findable(module):
        return f"its implementation {wanted.implementation!r} points nowhere: there is no module {module!r}"
    return None


def _importable(name: str) -> bool:
    top, _, _ = name.partition(".")
    return _findable(top)


def _findable(name: str) -> bool:
    """Whether a module can be found; imports nothing, as long as its parent is loaded or it has none."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a parent that is no package; a loaded module without a spec
        return name in sys.modules


def implementation(path: str, name: str, source: Source | None = None) -> type[Backend]:
    """Import ``"module:Class"`` and return the class; anything but a complete ``Backend`` is a ``PluginError``."""
    from harness.contract.backend import Backend  # noqa: PLC0415  loads NumPy

    where = f"{source}: backend {name!r}" if source else f"backend {name!r}"
    found = _imported(path, where)
    if not (isinstance(found, type) and issubclass(found, Backend)):
        raise PluginError(f"{where}: {path!r} is not a subclass of harness.Backend; derive it from that class")
    absent = sorted(found.__abstractmethods__)
    if absent:
        raise PluginError(f"{where}: {path!r} lacks {', '.join(absent)}; write what docs/contract.md says of each")
    return found


def _imported(path: str, where: str) -> object:
    module_name, _, class_name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (KeyboardInterrupt, Unavailable, Unsupported):
        raise
    except BaseException as error:
        cause = f"cannot be imported: {type(error).__name__}: {said(error)}"
        raise PluginError(f"{where}: {path!r} {cause}; try: python -c 'import {module_name}'") from error
    if not hasattr(module, class_name):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        cause = f"points nowhere: {module_name} has no {class_name}{nearest(class_name, classes)}"
        raise PluginError(f"{where}: {path!r} {cause}")
    return getattr(module, class_name)
