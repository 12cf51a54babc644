"""``Study``: what a study file asks for, checked and in full. Plain data; nothing of the machine is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from harness.contract.environment import Option
from harness.contract.network import Network

Count: TypeAlias = int | Literal["all"]
"""A number, or every core (``workers``), or every row (``batch``)."""


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset with the options that the study gives; the plan fills in the others."""

    name: str
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkChoice:
    """A net without its ends: the dataset gives inputs and outputs, the loss gives the last layer unless told."""

    hidden: tuple[int, ...]
    activation: tuple[str, ...]
    """One name a hidden layer."""
    output: str | None = None

    def network(self, inputs: int, outputs: int, loss: str, dtype: str) -> Network:
        """Return the whole network."""
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
"""The nets of the papers by name."""


@dataclass(frozen=True, kw_only=True)
class BackendEntry:
    """One ``[[backend]]``: a backend with the values of its own axes."""

    name: str
    workers: tuple[Count, ...] = (1,)
    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    """The options that the study gives; every other stays at its default."""
    python: str | None = None
    """Absolute path of the interpreter that has this backend; ``None``: the harness's own."""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One entry of ``include`` or ``exclude``: for each axis it names, the values that it means."""

    axes: Mapping[str, tuple[Any, ...]]
    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    origin: str = ""
    """Where it stands, for messages."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Every axis is a tuple; the cells are their product, less ``exclude``, and ``include`` on top."""

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
    """Backends that ``--set`` named: what they cannot do is a refused request, not a row with a reason."""
    text: str = ""
    """The file as it was, for the record."""
    overrides: tuple[str, ...] = ()
    """The ``key=value`` words that were applied to it."""
    left_out: tuple[str, ...] = ()
    """Optional backends of the file that are not installed."""
