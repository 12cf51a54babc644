"""The axes of a study: which keys take one value or a list, and how each value is read."""

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
"""Of one hidden layer, at most."""
DEPTH = 1000
ROWS = 2**31 - 1
WORKERS = 4096
SEED = 2**63 - 1

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
"""Every axis of the whole study with the value that it has where the file is silent."""


def readers(catalogue: Catalogue) -> dict[str, Read]:
    """Return the reader of every axis in ``DEFAULTS``, and of ``workers``."""
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
    """Read a name, or a table with the name and options."""
    table = {"name": value} if isinstance(value, str) else values.table(value)
    if "name" not in table:
        raise RequestError("give the dataset's name, as in {name = 'digits'}")
    name = values.word("dataset", catalogue.datasets)(table["name"])
    given: dict[str, Option] = {key: item for key, item in table.items() if key != "name"}
    tables.resolve(f"dataset {name!r}", catalogue.datasets[name].options, given)
    catalogue.check_dataset(name, given)
    return DatasetChoice(name, given)


def _network(value: Any, catalogue: Catalogue) -> NetworkChoice:
    """Read the name of a net of the papers, or its hidden layers."""
    if isinstance(value, str):
        return NETWORKS[values.word("network", NETWORKS)(value)]
    table = values.table(value)
    for key in table:
        values.word("key of a network", ("hidden", "activation", "output"))(key)
    if "hidden" not in table:
        raise RequestError("give the sizes of the hidden layers, as in {hidden = [32, 16]}")
    hidden = _hidden(table["hidden"])
    known = values.word("activation", catalogue.activations)
    output = known(table["output"]) if "output" in table else None
    return NetworkChoice(hidden, _activations(table.get("activation", "sigmoid"), len(hidden), known), output)


def _hidden(value: Any) -> tuple[int, ...]:
    sizes = value if isinstance(value, list) else [value]
    if len(sizes) > DEPTH:
        raise RequestError(f"{len(sizes)} hidden layers; give {DEPTH} at most")
    try:
        return tuple(values.whole(1, NEURONS)(size) for size in sizes)
    except RequestError as error:
        raise RequestError(f"hidden = {value!r:.60}: {error}") from None


def _activations(value: Any, layers: int, known: Read) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value] * layers
    if len(names) != layers:
        raise RequestError(f"{len(names)} activations for {layers} hidden layers: give one, or one a layer")
    return tuple(known(name) for name in names)
