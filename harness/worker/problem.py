"""What a cell asks to be trained: the network, the start weights and the sets, as every backend gets them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.contract.arrays import Array, Parameters, copied
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.datasets import load_dataset
from harness.plan.cell import Cell


@dataclass(frozen=True)
class Problem:
    """One cell's problem. The arrays belong to the worker; backends keep and never write to them."""

    cell: Cell
    start: Parameters
    x: Array
    """Training set, ``(rows, inputs)``, shuffled once where the cell says so, in the network's dtype."""
    y: Array
    test: tuple[Array, Array] | None = None
    """Test set where the dataset has one: accuracy is measured on it, otherwise on the training set."""

    @property
    def network(self) -> Network:
        """What is trained."""
        return self.cell.network

    @property
    def rows(self) -> int:
        """Rows of the training set."""
        return len(self.x)

    def fresh_start(self) -> Parameters:
        """Return copies of the start weights for one backend, so that none can spoil another's."""
        return copied(self.start)

    def lent(self) -> dict[str, str]:
        """Return a digest of every array that backends are lent, by name: another one once a single value changed."""
        x_test, y_test = self.test or (None, None)
        arrays = {"x": self.x, "y": self.y, "x of the test set": x_test, "y of the test set": y_test}
        return {name: _digest(array) for name, array in arrays.items() if array is not None}

    def head(self, rows: int) -> Problem:
        """Return the same problem on the first ``rows`` rows, without a test set."""
        return Problem(self.cell, self.start, _fitted(self.x[:rows], self.cell), _fitted(self.y[:rows], self.cell))

    def part(self, rows: slice) -> Problem:
        """Return the same problem on these rows, which stay where they are, without a test set."""
        return Problem(self.cell, self.start, self.x[rows], self.y[rows])

    @cached_property
    def digest(self) -> str:
        """A digest of the start weights and of every value of the training set, in order."""
        digest = hashlib.sha256(f"{self.x.shape}{self.y.shape}{self.x.dtype}".encode())
        for array in (self.x, self.y, *(array for pair in self.start for array in pair)):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _digest(array: Array) -> str:
    return hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16).hexdigest()


def problem_of(cell: Cell) -> Problem:
    """Return the cell's problem on its dataset, whose files are fetched where they are missing."""
    data = load_dataset(cell.dataset, cell.dataset_options)
    test = None if data.x_test is None or data.y_test is None else (data.x_test, data.y_test)
    return prepare(cell, data.x_train, data.y_train, test)


def prepare(cell: Cell, x: Array, y: Array, test: tuple[Array, Array] | None = None) -> Problem:
    """Return the problem on these sets: in the network's dtype, C-ordered, shuffled from the cell's seed if asked."""
    if cell.shuffle:
        order = np.random.default_rng(cell.seed).permutation(len(x))
        x, y = x[order], y[order]
    start = initial_parameters(cell.network, cell.seed, init=cell.init)
    fitting = None if test is None else (_fitted(test[0], cell), _fitted(test[1], cell))
    return Problem(cell, start, _fitted(x, cell), _fitted(y, cell), fitting)


def _fitted(array: Array, cell: Cell) -> Array:
    """Return a read-only view: a backend that writes to it by accident is told at once, on purpose it is found out."""
    view = np.ascontiguousarray(array, dtype=cell.network.dtype).view()
    view.flags.writeable = False
    return view
