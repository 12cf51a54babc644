"""Mutants that compute right gradients and train wrongly."""

from __future__ import annotations

import numpy as np
from good_backend import Good
from killing import EPOCH, killed_by

from harness import batches


@killed_by("a_step_subtracts_rate_times_the_gradient", "parameters after one step: weights of layer")
class RateIgnored(Good):
    def step(self, rate: float) -> None:  # noqa: ARG002  that is the mutation
        super().step(0.5)


@killed_by("batch_size_and_rate_may_change_in_one_life", "parameters after six epochs: weights of layer")
class FirstRateKept(Good):
    def step(self, rate: float) -> None:
        self.rate = self.__dict__.get("rate", rate)
        super().step(self.rate)


@killed_by(EPOCH, "parameters after train_epoch: weights of layer")
class RateInSinglePrecision(Good):
    def step(self, rate: float) -> None:
        super().step(float(np.float32(rate)))


@killed_by("twenty_five_steps_end_where_the_reference_ends", "parameters after 25 steps: weights of layer")
class Momentum(Good):
    def step(self, rate: float) -> None:
        super().step(rate)
        before = self.__dict__.get("before")
        self.before = self.dparameters
        if before:
            for index, (dw, _) in enumerate(before):
                self.weights[index] -= 0.01 * rate * dw


@killed_by("a_step_subtracts_rate_times_the_gradient", "parameters after one step: weights of layer")
class WeightDecay(Good):
    def step(self, rate: float) -> None:
        super().step(rate)
        self.weights = [weights * (1 - 1e-4 * rate) for weights in self.weights]


@killed_by("batch_size_and_rate_may_change_in_one_life", "parameters after six epochs: weights of layer")
class RateDecays(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        self.epoch = self.__dict__.get("epoch", 0) + 1
        super().train_epoch(batch_size, rate / self.epoch**0.1)


@killed_by("a_step_subtracts_rate_times_the_gradient", "parameters after one step: bias of layer")
class BiasNotUpdated(Good):
    def step(self, rate: float) -> None:
        kept = [bias.copy() for bias in self.biases]
        super().step(rate)
        self.biases = kept


@killed_by("forward_and_backprop_leave_the_weights_alone", "parameters after forward and backprop: weights of layer")
class BackpropUpdates(Good):
    def backprop(self, rows: slice) -> None:
        super().backprop(rows)
        super().step(0.1)

    def step(self, rate: float) -> None: ...


@killed_by(EPOCH, "parameters after train_epoch: ")
class RaggedRowsDropped(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        for rows in batches(self.rows, batch_size):
            if rows.stop - rows.start == batch_size:
                self.forward(rows)
                self.backprop(rows)
                self.step(rate)


@killed_by(EPOCH, "parameters after train_epoch: ")
class RaggedBatchDividedByItsFullSize(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        for rows in batches(self.rows, batch_size):
            self.forward(rows)
            self.backprop(rows)
            self.step(rate * (rows.stop - rows.start) / min(batch_size, self.rows))


@killed_by(EPOCH, "parameters after train_epoch: ")
class EpochOneBatchShort(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        for rows in list(batches(self.rows, batch_size))[:-1]:
            self.forward(rows)
            self.backprop(rows)
            self.step(rate)


@killed_by(EPOCH, "parameters after train_epoch: ")
class EpochOneBatchAhead(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        every = list(batches(self.rows, batch_size))
        for rows in every[1:] + every[:1]:
            self.forward(rows)
            self.backprop(rows)
            self.step(rate)


@killed_by(EPOCH, "parameters after train_epoch: ")
class EpochShuffles(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        order = np.random.default_rng(0).permutation(self.rows)
        x, y = self.x, self.y
        self.x, self.y = x[order], y[order]
        super().train_epoch(batch_size, rate)
        self.x, self.y = x, y


@killed_by(EPOCH, "parameters after train_epoch: ")
class BatchCapped(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        super().train_epoch(min(batch_size, 32), rate)


@killed_by(EPOCH, "parameters after train_epoch: ")
class StaleGradientInEpoch(Good):
    def train_epoch(self, batch_size: int, rate: float) -> None:
        for rows in batches(self.rows, batch_size):
            self.forward(rows)
            late = self.dparameters if rows.start else None
            self.backprop(rows)
            fresh, self.dparameters = self.dparameters, late or self.dparameters
            self.step(rate)
            self.dparameters = fresh


@killed_by("an_epoch_takes_the_set_and_the_rate_of_the_moment", "parameters after two epochs on each of two equal sets")
class SetCaptured(Good):
    """Captures its step on the first set and replays it on every later set of as many rows."""

    def train_epoch(self, batch_size: int, rate: float) -> None:
        captured = self.__dict__.setdefault("captured", {})
        loaded = self.x, self.y
        self.x, self.y = captured.setdefault((self.rows, batch_size), loaded)
        super().train_epoch(batch_size, rate)
        self.x, self.y = loaded


@killed_by("an_epoch_takes_the_set_and_the_rate_of_the_moment", "parameters after two epochs on each of two equal sets")
class RateCaptured(Good):
    """Compiles an epoch once a batch size, with the rate of that moment as a constant."""

    def train_epoch(self, batch_size: int, rate: float) -> None:
        rates = self.__dict__.setdefault("rates", {})
        super().train_epoch(batch_size, rates.setdefault(batch_size, rate))
