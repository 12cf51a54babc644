"""Datasets by name: what they look like, where their files are, and the arrays themselves.

Importing this loads no NumPy and no dataset: the registry names them from here.
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
    """Return the arrays of a dataset, fetching its files where they are missing; options are checked first."""
    from harness.datasets.data import Data  # noqa: PLC0415  loads NumPy

    wanted = _known(name)
    return _called(wanted, wanted.load, options, Data)


def shape_of(name: str, options: Mapping[str, Option] | None = None) -> Shape:
    """Return rows, inputs and outputs; at once where the dataset declares them, else by loading it."""
    from harness.datasets.data import Shape  # noqa: PLC0415  loads NumPy

    wanted = _known(name)
    if not wanted.shape:
        return load_dataset(name, options).shape
    return _called(wanted, wanted.shape, options, Shape)


def fetch(name: str, options: Mapping[str, Option] | None = None) -> list[Path]:
    """Make sure that every file of a dataset is there and return their paths; a dataset without files has none."""
    from harness.datasets.files import located  # noqa: PLC0415  loads the download library's settings

    return [located(file) for file in remote_files(name, options)]


def remote_files(name: str, options: Mapping[str, Option] | None = None) -> list[Any]:
    """Return the ``RemoteFile``s that a dataset reads."""
    wanted = _known(name)
    return list(_called(wanted, wanted.files, options, list)) if wanted.files else []


def _known(name: str) -> Dataset:
    from harness.contract.registry import dataset  # noqa: PLC0415  the registry imports what this package describes

    return dataset(name)


def _called(wanted: Dataset, path: str, options: Mapping[str, Option] | None, kind: type[T]) -> T:
    owner = f"dataset {wanted.name!r}"
    given = tables.resolve(owner, wanted.options, options or {})
    try:
        result = _function(path)(**given)
    except HarnessError:
        raise
    except Exception as error:  # a stranger's function may raise anything; whose it is must be said
        raise PluginError(f"{owner}: {path!r} failed: {type(error).__name__}: {error}") from error
    if not isinstance(result, kind):
        raise PluginError(f"{owner}: {path!r} returned {type(result).__name__}, should return {kind.__name__}")
    return result


def _function(path: str) -> Callable[..., object]:
    module, _, name = path.partition(":")
    return cast("Callable[..., object]", getattr(importlib.import_module(module), name))
