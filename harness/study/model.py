"""``Study``: all that a study file asks for, checked. It is plain data and says nothing about the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from harness.contract.environment import Option
from harness.contract.network import Network

Count: TypeAlias = int | Literal["all"]
"""A number, or ``"all"``: every core for ``workers``, every row for ``batch``."""


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset with the options that the study gives; the plan adds the defaults of the others."""

    name: str
    options: Mapping[str, Option] = field(default_factory=dict)

    def __hash__(self) -> int:
        """Return a hash, so that repeated values of an axis are found without comparing each with all others."""
        return hash((self.name, frozenset(self.options.items())))


@dataclass(frozen=True)
class NetworkChoice:
    """The hidden layers of a network. The dataset gives its inputs and outputs, and the loss its last activation."""

    hidden: tuple[int, ...]
    activation: tuple[str, ...]
    """One name for each hidden layer."""
    output: str | None = None
    """The last activation, if the study names one."""

    def network(self, inputs: int, outputs: int, loss: str, dtype: str) -> Network:
        """Return the whole network for a dataset's sizes, a loss and a dtype."""
        sizes = [inputs, *self.hidden, outputs]
        return Network.dense(sizes, activation=[*self.activation, self.last(loss)], loss=loss, dtype=dtype)

    def last(self, loss: str) -> str:
        """Return the activation of the last layer: the one that the study names, or the one that suits the loss."""
        return self.output or ("linear" if loss == "ce" else "sigmoid")


NETWORKS: Mapping[str, NetworkChoice] = MappingProxyType(
    {
        "net-1h": NetworkChoice((1024,), ("sigmoid",)),
        "net-2h": NetworkChoice((1024, 1024), ("sigmoid", "sigmoid")),
    }
)
"""The networks of the papers by name."""


@dataclass(frozen=True, kw_only=True)
class BackendEntry:
    """One ``[[backend]]``: a backend with the values of its own axes."""

    name: str
    workers: tuple[Count, ...] = (1,)
    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    """The options that the study gives; every other one has its default."""
    python: str | None = None
    """Absolute path of the interpreter that has this backend; ``None``: the harness's own."""
    hosts: tuple[str, ...] = ()
    """The machines to start on; empty: this one."""


@dataclass(frozen=True)
class Rule:
    """One entry of ``include`` or ``exclude``: the axes that it names, each with the values that it means."""

    axes: Mapping[str, tuple[Any, ...]]
    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    origin: str = ""
    """Where the rule stands, for messages."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Every axis is a tuple. The cells are all combinations without those of ``exclude``, plus those of ``include``."""

    name: str
    title: str
    about: str = ""
    dataset: tuple[DatasetChoice, ...]
    networks: tuple[NetworkChoice, ...]
    loss: tuple[str, ...]
    batch: tuple[Count, ...]
    rate: tuple[float, ...]
    seed: tuple[int, ...]
    init: tuple[str, ...]
    shuffle: tuple[bool, ...]
    dtype: tuple[str, ...]
    epochs: int
    rounds: int
    history: bool
    time_limit: float
    memory_limit: int | None
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    backends: tuple[BackendEntry, ...]
    asked: frozenset[str] = frozenset()
    """Backends that ``--set`` named. If one of them cannot run, the request is refused; it is no row with a reason."""
    text: str = ""
    """The text of the file, to be stored with the rows."""
    overrides: tuple[str, ...] = ()
    """The ``key=value`` words that were applied to the file."""
    left_out: tuple[str, ...] = ()
    """Optional backends of the file that are not installed."""
