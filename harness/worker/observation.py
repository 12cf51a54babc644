"""What one backend did on one problem: the times, and everything that evaluation and parity judge later.

Every rank runs this, the same calls in the same order: nothing here asks for the rank or branches on a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.contract.arrays import Array, Parameters
from harness.contract.backend import Backend
from harness.contract.network import Network
from harness.errors import PluginError
from harness.worker.clock import epoch
from harness.worker.evaluation import Score, checked_outputs, evaluate
from harness.worker.problem import Problem

Builder = Callable[[], Backend]
"""Builds a fresh instance of the cell's backend on the start weights."""


@dataclass(frozen=True)
class BatchResult:
    """One batch through ``forward`` and ``backprop``, from the weights that the backend had then."""

    rows: slice
    weights: Parameters
    outputs: Array
    gradients: Parameters


@dataclass(frozen=True)
class Observed:
    """Copies of what the backend held; pure data, judged after the backend is closed."""

    first: Parameters
    """Weights after the first epoch."""
    last: Parameters
    """Weights after all ``1 + epochs`` epochs."""
    training: Score
    test: Score
    """On the test set where there is one."""
    batch: BatchResult
    stepped: Parameters
    """Weights after ``step`` on that batch."""


def one_batch(backend: Backend, rows: slice) -> BatchResult:
    """Forward and backprop one slice of the loaded set; the weights stay."""
    weights = checked("parameters", backend.network, backend.parameters())
    backend.forward(rows)
    outputs = checked_outputs(backend, rows)
    backend.backprop(rows)
    return BatchResult(rows, weights, outputs, checked("gradients", backend.network, backend.gradients()))


def one_step(backend: Backend, rows: slice, rate: float) -> tuple[BatchResult, Parameters]:
    """Train on one slice of the loaded set; return what ``one_batch`` does, and the weights after the step."""
    result = one_batch(backend, rows)
    backend.step(rate)
    backend.sync()
    return result, checked("parameters", backend.network, backend.parameters())


def observe(backend: Backend, problem: Problem, first: Parameters, rows: slice) -> Observed:
    """Evaluate a trained backend, then take one step; leaves the training set loaded."""
    cell = problem.cell
    last = checked("parameters", problem.network, backend.parameters())
    training = evaluate(backend, problem.y, cell.batch)
    test = scored(backend, problem, training)
    if problem.test is not None:
        backend.load(problem.x, problem.y)
    batch, stepped = one_step(backend, rows, cell.rate)
    return Observed(first, last, training, test, batch, stepped)


def scored(backend: Backend, problem: Problem, training: Score) -> Score:
    """Return the score on the test set, which stays loaded; without one, the score on the training set."""
    if problem.test is None:
        return training
    backend.load(*problem.test)
    return evaluate(backend, problem.test[1], problem.cell.batch)


def after_one_epoch(build: Builder, problem: Problem) -> Parameters:
    """Train a fresh instance for one epoch of this problem and return its weights."""
    with build() as backend:
        backend.load(problem.x, problem.y)
        epoch(backend, problem.cell.batch, problem.cell.rate)
        return checked("parameters", problem.network, backend.parameters())


def checked(method: str, network: Network, found: Parameters) -> Parameters:
    """Return what a backend gave, or refuse a missing layer and a shape or dtype that is not the network's."""
    shapes = [((layer.inputs, layer.outputs), (layer.outputs,)) for layer in network.layers]
    if not _pairs(found):
        raise PluginError(f"{method}() should be a list of (weights, bias) tuples of arrays, not {str(found)[:80]}")
    given = [tuple(array.shape for array in pair) for pair in found]
    dtypes = {str(array.dtype) for pair in found for array in pair}
    if given != shapes or dtypes != {network.dtype}:
        raise PluginError(f"{method}() has shapes {given} in {sorted(dtypes)}, should be {shapes} in {network.dtype}")
    return found


def _pairs(found: object) -> bool:
    """Return whether this has the form of parameters, whatever its sizes."""
    if not isinstance(found, list) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in found):
        return False
    return all(isinstance(array, np.ndarray) for pair in found for array in pair)


def history(build: Builder, problem: Problem, seconds: list[float]) -> list[dict[str, float]]:
    """Return loss and accuracy before the first and after each epoch, from a fresh instance of its own. Never timed.

    As in the row, the loss is the training set's and the accuracy the test set's where there is one. ``seconds`` are
    the times of the timed instance's epochs; each entry carries their sum so far, for time to accuracy. Ends early
    where the loss stops being finite.
    """
    cell = problem.cell
    entries: list[dict[str, float]] = []
    with build() as backend:
        for number, spent in enumerate(np.cumsum([0.0, *seconds]).tolist()):
            backend.load(problem.x, problem.y)
            if number:
                epoch(backend, cell.batch, cell.rate)
            training = evaluate(backend, problem.y, cell.batch)
            if not training.finite:
                break
            accuracy = scored(backend, problem, training).accuracy
            entries.append({"epoch": number, "loss": training.loss, "accuracy": accuracy, "seconds": spent})
    return entries
