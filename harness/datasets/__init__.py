"""Datasets by name: their sizes, their files, and their arrays.

Importing this package loads no NumPy and no dataset, because the registry names the datasets from here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from harness.contract import options as tables
from harness.contract.dataset import Dataset
from harness.contract.environment import Option
from harness.errors import HarnessError, PluginError

if TYPE_CHECKING:
    from harness.datasets.data import Data, Shape

T = TypeVar("T")


def load_dataset(name: str, options: Mapping[str, Option] | None = None) -> Data:
    """Return the arrays of a dataset; check the options, then fetch files that are missing.

    Raise ``RequestError`` for an unknown name or option, ``DataError`` for files that are damaged or cannot be fetched,
    and ``PluginError`` if the dataset's own function fails.
    """
    from harness.datasets.data import Data  # noqa: PLC0415  loads NumPy

    wanted = _known(name)
    return _called(wanted, wanted.load, options, Data)


def shape_of(name: str, options: Mapping[str, Option] | None = None) -> Shape:
    """Return rows, inputs and outputs: as the dataset declares them, or else by loading it."""
    from harness.datasets.data import Shape  # noqa: PLC0415  loads NumPy

    wanted = _known(name)
    if not wanted.shape:
        return load_dataset(name, options).shape
    return _called(wanted, wanted.shape, options, Shape)


def fetch(name: str, options: Mapping[str, Option] | None = None) -> list[Path]:
    """Download the files of a dataset that are missing; return the paths of all its files, which may be none."""
    from harness.datasets.files import located  # noqa: PLC0415  needed only for files

    return [located(file) for file in remote_files(name, options)]


def remote_files(name: str, options: Mapping[str, Option] | None = None) -> list[Any]:
    """Return the ``RemoteFile``s that a dataset reads; an empty list if it reads none."""
    wanted = _known(name)
    return list(_called(wanted, wanted.files, options, list)) if wanted.files else []


def _known(name: str) -> Dataset:
    from harness.contract.registry import dataset  # noqa: PLC0415  the registry imports this package's descriptions

    return dataset(name)


def _called(wanted: Dataset, path: str, options: Mapping[str, Option] | None, kind: type[T]) -> T:
    owner = f"dataset {wanted.name!r}"
    given = tables.resolve(owner, wanted.options, options or {})
    try:
        result = _function(path)(**given)
    except HarnessError:
        raise
    except Exception as error:  # a plugin's function may raise anything; the message names the plugin's dataset
        raise PluginError(f"{owner}: {path!r} failed: {type(error).__name__}: {error}") from error
    if not isinstance(result, kind):
        raise PluginError(f"{owner}: {path!r} returned {type(result).__name__}, but must return {kind.__name__}")
    return result


def _function(path: str) -> Callable[..., object]:
    module, _, name = path.partition(":")
    return cast("Callable[..., object]", getattr(importlib.import_module(module), name))
