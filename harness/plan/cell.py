"""``Cell``: one thing to measure. A plan hands cells to the runner; they can be written to JSON and read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.contract.environment import Option
from harness.contract.network import Layer, Network


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A backend's configuration, and what it trains and how. Each round of a cell becomes one ``Row``."""

    study: str
    """Name of the study, for people; it is no part of the key."""
    backend: str
    options: Mapping[str, Option]
    """Every option of the backend; those that the study does not give have their default."""
    workers: int
    batch: int
    """Rows in a batch; ``"all"`` in a study has become the number of training rows."""
    network: Network
    dataset: str
    dataset_options: Mapping[str, Option] = field(default_factory=dict)
    rate: float
    seed: int
    init: str
    shuffle: bool = False
    epochs: int
    """Timed epochs in a round, after the first."""
    history: bool = False
    """Whether loss and accuracy by epoch are recorded, outside the clock."""
    time_limit: float
    """Seconds for all processes of one cell and round."""
    memory_limit: int | None = None
    """Bytes of resident memory of all its processes together; ``None``: no limit."""
    python: str | None = None
    """Interpreter of the worker; ``None``: the harness's own."""
    hosts: tuple[str, ...] = ()
    """Machines for a backend with a launcher; empty: this one."""

    @property
    def key(self) -> str:
        """A digest of all settings that the measurement depends on; equal settings have equal keys."""
        return hashlib.sha256(self.settings.encode()).hexdigest()[:32]

    @property
    def settings(self) -> str:
        """Everything that the key depends on, as JSON: all fields except the name of the study."""
        return json.dumps({name: value for name, value in self.to_json().items() if name != "study"}, sort_keys=True)

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers; ``from_json`` gives back an equal cell."""
        return {**asdict(self), "options": dict(self.options), "dataset_options": dict(self.dataset_options)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cell:
        """Return the cell that ``to_json`` described."""
        net = data["network"]
        layers = tuple(Layer(**layer) for layer in net["layers"])
        network = Network(layers=layers, loss=net["loss"], dtype=net["dtype"])
        return cls(**{**data, "network": network, "hosts": tuple(data["hosts"])})
