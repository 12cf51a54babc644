"""``Target``: the class under test in one configuration."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.conformance import uninstalled
from harness.conformance.configuration import Configuration, Level, configuration
from harness.contract import loading, registry
from harness.contract.arrays import Parameters
from harness.contract.backend import Backend
from harness.contract.environment import Option
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.contract.spec import BackendSpec
from harness.errors import Unavailable, Unsupported

_FIRST_NETWORKS: dict[type[Backend], Network] = {}
"""The network of the first instance of each class. A check builds it again, to find what a plugin has kept."""


class Inability(NamedTuple):
    """Why a whole configuration cannot be checked."""

    kind: str
    """``Unsupported`` or ``Unavailable``."""
    reason: str

    @classmethod
    def of(cls, error: Unsupported | Unavailable) -> Inability:
        """Return the kind and the message of an error, the message on one line."""
        kind = "Unavailable" if isinstance(error, Unavailable) else "Unsupported"
        return cls(kind, " ".join(str(error).split()) or "no reason given")


class Trial(NamedTuple):
    """What one tiny batch has shown."""

    refusal: Inability | None
    """Why nothing can be checked, if so."""
    rank: int


@dataclass(frozen=True)
class Target:
    """What is checked: a class, its spec and one configuration."""

    name: str
    """The backend's name or ``module:Class``, as it was asked for."""
    spec: BackendSpec
    cls: type[Backend]
    configuration: Configuration
    level: Level

    @property
    def options(self) -> dict[str, Option]:
        """All options of this configuration."""
        return dict(self.configuration.options)

    @property
    def workers(self) -> int:
        """The number of workers of this configuration."""
        return self.configuration.workers

    @property
    def precision(self) -> str:
        """The value of the reserved option ``precision``, which chooses the row of the tolerance table."""
        return str(self.options.get("precision", "ieee"))

    @property
    def installed(self) -> bool:
        """Whether the class has a plugin."""
        return ":" not in self.name

    @property
    def has_reference(self) -> bool:
        """Whether the reference says what comes out; an ensemble of one network is a plain network too."""
        return self.spec.mathematics == "minibatch" or self.workers == 1

    def make(self, network: Network, start: Parameters) -> Backend:
        """Return a new instance in this configuration."""
        make: type[Backend] = self.cls
        backend = make(network, start, workers=self.workers, **self.options)
        _FIRST_NETWORKS.setdefault(self.cls, network)
        return backend

    @property
    def first_network(self) -> Network | None:
        """The network of the first instance in this process; ``None`` if there is none yet."""
        return _FIRST_NETWORKS.get(self.cls)

    def repeat(self, check: str) -> str:
        """Return the command that runs one check of this configuration again."""
        words = ["harness", "check", self.name, *self.configuration.words(), "--level", self.level, "-k", check]
        return shlex.join(words)

    def trial(self) -> Trial:
        """Train one tiny batch to find out whether this configuration can be checked, and as which rank."""
        first = self._trial("float32")
        return self._trial("float64") if first.refusal else first

    def _trial(self, dtype: str) -> Trial:
        network = Network.dense([2, 3, 1], dtype=dtype)
        try:
            backend = self.make(network, initial_parameters(network))
            backend.load(np.ones((2, 2), dtype), np.ones((2, 1), dtype))
            backend.train_epoch(2, 0.1)
            backend.sync()
            rank = backend.rank()
            backend.close()
        except (Unsupported, Unavailable) as error:
            return Trial(Inability.of(error), 0)
        except (Exception, SystemExit):  # noqa: BLE001  the checks themselves will find it and report it in full
            return Trial(None, 0)
        return Trial(None, rank)


def load(name: str, options: Mapping[str, Option], workers: int, level: Level) -> Target:
    """Import a class and return it as the target; options may be strings, which are converted to their type.

    Raise ``HarnessError`` if the backend, an option or the class is unknown or cannot be imported.
    """
    if ":" in name:
        uninstalled.importable_from_here()
        cls = loading.implementation(name, name)
        spec = uninstalled.after_import(name, cls)
    else:
        spec, cls = registry.spec(name), loading.get_backend(name)
    chosen = spec.parse({option: str(value) for option, value in options.items()})
    return Target(name, spec, cls, configuration(spec, chosen, workers), level)
