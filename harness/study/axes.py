"""The axes of a study: the keys that take one value or a list, and how each value is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.contract import options as tables
from harness.contract.environment import Option
from harness.contract.parameters import INITIALISATIONS
from harness.contract.vocabulary import DTYPES, LOSSES
from harness.errors import RequestError
from harness.study import values
from harness.study.catalogue import Catalogue
from harness.study.document import DEFAULT_DATASET
from harness.study.model import NETWORKS, DatasetChoice, NetworkChoice
from harness.study.values import Read

NEURONS = 10**6
"""Neurons of one hidden layer, at most."""
DEPTH = 1000
"""Hidden layers, at most."""
ROWS = 2**31 - 1
"""Rows of a batch, at most."""
WORKERS = 4096
"""Workers, at most."""
SEED = 2**63 - 1
"""The largest seed."""

DEFAULTS: Mapping[str, Any] = {
    "dataset": DEFAULT_DATASET,
    "networks": "net-1h",
    "loss": "mse",
    "batch": 32,
    "rate": 0.1,
    "seed": 0,
    "init": "glorot_uniform",
    "shuffle": False,
    "dtype": "float32",
}
"""Every axis that does not belong to a backend, with the value that it has if the file does not give one."""


def readers(catalogue: Catalogue) -> dict[str, Read]:
    """Return the function that reads a value of each axis in ``DEFAULTS``, and of ``workers``."""
    return {
        "dataset": lambda value: _dataset(value, catalogue),
        "networks": lambda value: _network(value, catalogue),
        "loss": values.word("loss", LOSSES),
        "batch": values.count(ROWS),
        "rate": values.positive,
        "seed": values.whole(0, SEED),
        "init": values.word("init", INITIALISATIONS),
        "shuffle": values.boolean,
        "dtype": values.word("dtype", DTYPES),
        "workers": values.count(WORKERS),
    }


def _dataset(value: Any, catalogue: Catalogue) -> DatasetChoice:
    """Read a dataset's name, or a table with its name and options."""
    table = {"name": value} if isinstance(value, str) else values.table(value)
    if "name" not in table:
        raise RequestError("give the dataset's name, as in {name = 'digits'}")
    name = values.word("dataset", catalogue.datasets)(table["name"])
    given: dict[str, Option] = {key: option for key, option in table.items() if key != "name"}
    tables.resolve(f"dataset {name!r}", catalogue.datasets[name].options, given)
    catalogue.check_dataset(name, given)
    return DatasetChoice(name, given)


def _network(value: Any, catalogue: Catalogue) -> NetworkChoice:
    """Read the name of a net of the papers, or a table with the hidden layers."""
    if isinstance(value, str):
        return NETWORKS[values.word("network", NETWORKS)(value)]
    table = values.table(value)
    for key in table:
        values.word("key of a network", ("hidden", "activation", "output"))(key)
    if "hidden" not in table:
        raise RequestError("give the sizes of the hidden layers, as in {hidden = [32, 16]}")
    hidden = _hidden(table["hidden"])
    read = values.word("activation", catalogue.activations)
    output = read(table["output"]) if "output" in table else None
    return NetworkChoice(hidden, _activations(table.get("activation", "sigmoid"), len(hidden), read), output)


def _hidden(value: Any) -> tuple[int, ...]:
    sizes = value if isinstance(value, list) else [value]
    if len(sizes) > DEPTH:
        raise RequestError(f"{len(sizes)} hidden layers; give {DEPTH} at most")
    try:
        return tuple(values.whole(1, NEURONS)(size) for size in sizes)
    except RequestError as error:
        raise RequestError(f"hidden = {value!r:.60}: {error}") from None


def _activations(value: Any, layers: int, read: Read) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value] * layers
    if len(names) != layers:
        raise RequestError(f"{len(names)} activations for {layers} hidden layers: give one name, or one for each layer")
    return tuple(read(name) for name in names)
