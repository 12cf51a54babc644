"""``Cell``: what a plan hands to the runner, one thing to measure. Plain data that survives a trip through JSON."""

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
    """One backend configuration on one problem; a round of it becomes one ``Row``."""

    study: str
    """Name of the study, for people; not part of the key."""
    backend: str
    options: Mapping[str, Option]
    """Every option of the backend, defaults filled in."""
    workers: int
    batch: int
    """Rows a batch; a study's ``"all"`` is resolved to the rows of the training set."""
    network: Network
    dataset: str
    dataset_options: Mapping[str, Option] = field(default_factory=dict)
    rate: float
    seed: int
    init: str
    shuffle: bool = False
    epochs: int
    """Timed epochs a round, after the first."""
    history: bool = False
    """Whether loss and accuracy by epoch are recorded, outside the clock."""
    time_limit: float
    """Seconds for the whole process of one cell and round."""
    memory_limit: int | None = None
    """Bytes of resident memory of all its processes together; ``None``: no limit."""
    python: str | None = None
    """Interpreter of the worker; ``None``: the harness's own."""
    hosts: tuple[str, ...] = ()
    """Machines for a backend with a launcher; empty: this one."""

    @property
    def key(self) -> str:
        """A digest of every setting that the measurement depends on; equal settings have equal keys."""
        return hashlib.sha256(self.settings.encode()).hexdigest()[:32]

    @property
    def settings(self) -> str:
        """All that the key depends on, as JSON: everything but the name of the study."""
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
