"""From a backend's name to its class: the import that only a worker makes."""

from __future__ import annotations

import importlib

from harness.contract import registry
from harness.contract.backend import Backend
from harness.contract.registry.faults import Source, said
from harness.errors import PluginError, Unavailable, Unsupported, nearest


def get_backend(name: str) -> type[Backend]:
    """Return a backend's class by name, importing its implementation; sets no environment by itself."""
    wanted = registry.spec(name)
    reason = registry.missing(wanted)
    if reason:
        raise Unavailable(f"{name} {reason}")
    return implementation(wanted.implementation, wanted.name, registry.registry().sources[name])


def implementation(path: str, name: str, source: Source | None = None) -> type[Backend]:
    """Import ``"module:Class"`` and return the class; anything but a complete ``Backend`` is a ``PluginError``."""
    where = f"{source}: backend {name!r}" if source else f"backend {name!r}"
    cls = _imported(path, where)
    if not (isinstance(cls, type) and issubclass(cls, Backend)):
        raise PluginError(f"{where}: {path!r} is not a subclass of harness.Backend; derive it from that class")
    absent = sorted(cls.__abstractmethods__)
    if absent:
        raise PluginError(f"{where}: {path!r} lacks {', '.join(absent)}; write what docs/contract.md says of each")
    return cls


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
