"""What a mutant names: the check that must kill it, and what that check must say."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from good_backend import Good

GRADIENT = r"gradients: weights of layer \d\[\d+, \d+\] is \S+, should be \S+: differs by \S+, allowed \S+;"
OUTPUT = r"outputs\[\d+, \d+\] is \S+, should be \S+: differs by \S+, allowed"
BATCH = "a_batch_equals_the_reference"
EPOCH = "an_epoch_equals_the_plain_loop"


class Mutant(NamedTuple):
    """A wrong class with the check that must kill it."""

    cls: type[Good]
    check: str
    says: str
    workers: int


MUTANTS: list[Mutant] = []


def killed_by(check: str, says: str, *, workers: int = 1) -> Callable[[type[Good]], type[Good]]:
    def named(cls: type[Good]) -> type[Good]:
        MUTANTS.append(Mutant(cls, check, says, workers))
        return cls

    return named
