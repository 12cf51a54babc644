"""Wrong backends: each is ``Good`` with one thing wrong, and names the check that must kill it and what it must say."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import shared_memory
from typing import Any, ClassVar, NamedTuple

import numpy as np
from good_backend import Good
from threadpoolctl import threadpool_limits

from harness import Array, Network, Parameters, Unsupported, batches

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


# Wrong gradients


@killed_by(BATCH, GRADIENT)
class GradientTwice(Good):
    def weight_gradient(self, index: int, delta: Array) -> Array:
        return 2 * super().weight_gradient(index, delta)


@killed_by("gradients_equal_central_differences", "central differences of this backend's own outputs give")
class GradientHalf(Good):
    def weight_gradient(self, index: int, delta: Array) -> Array:
        return super().weight_gradient(index, delta) / 2


@killed_by(BATCH, GRADIENT)
class SumForMean(Good):
    def output_delta(self, y: Array) -> Array:
        return super().output_delta(y) * len(y)


@killed_by(BATCH, GRADIENT)
class MeanOverOutputsToo(Good):
    def output_delta(self, y: Array) -> Array:
        return super().output_delta(y) / y.shape[1]


@killed_by(BATCH, GRADIENT)
class NoTwoInTheSquare(Good):
    def output_delta(self, y: Array) -> Array:
        return super().output_delta(y) / (2 if self.network.loss == "mse" else 1)


@killed_by(BATCH, r"gradients: bias of layer 1\[\d+\] is 0,")
class NoBiasGradient(Good):
    def bias_gradient(self, index: int, delta: Array) -> Array:
        return super().bias_gradient(index, delta) * (index == 0)


@killed_by("backprop_belongs_to_the_last_forward", GRADIENT)
class StaleActivation(Good):
    def weight_gradient(self, index: int, delta: Array) -> Array:
        first = self.__dict__.setdefault("first", {}).setdefault((index, len(delta)), self.a[index].copy())
        return np.asarray(first.T @ delta)


@killed_by("a_layer_may_be_of_any_width", GRADIENT)
class TransposedWeight(Good):
    def below(self, index: int, delta: Array) -> Array:
        weights = self.weights[index]
        return delta @ (weights if weights.shape[0] == weights.shape[1] else weights.T)


@killed_by(BATCH, GRADIENT)
class SlopeOfTheWrongLayer(Good):
    def slope(self, index: int) -> Array:
        function = self.functions[min(index + 1, len(self.functions) - 1)]
        return np.asarray(function.slope(np, self.z[index], self.a[index + 1]))


@killed_by("a_net_may_be_deep", GRADIENT)
class DeepSlopesForgotten(Good):
    def slope(self, index: int) -> Array:
        slope = super().slope(index)
        return slope if len(self.weights) - index < 8 else np.ones_like(slope)


@killed_by("the_slope_of_relu_at_zero_is_zero", "gradients where every z is 0: weights of layer 0")
class ReluSlopeOneAtZero(Good):
    def slope(self, index: int) -> Array:
        if self.functions[index].name == "relu":
            return np.asarray(self.z[index] >= 0, dtype=self.network.dtype)
        return super().slope(index)


@killed_by("saturated_neurons_do_no_harm", r"gradients: .* is nan, should be")
class BceByTheChainRule(Good):
    def output_delta(self, y: Array) -> Array:
        a = self.a[-1]
        if self.network.loss != "bce":
            return super().output_delta(y)
        with np.errstate(all="ignore"):
            return np.asarray((a - y) / (a * (1 - a)) * self.slope(len(self.weights) - 1) / len(a))


@killed_by("saturated_neurons_do_no_harm", r"gradients: .* is nan, should be")
class SoftmaxWithoutShift(Good):
    def softmax(self, z: Array) -> Array:
        with np.errstate(all="ignore"):
            e = np.exp(z)
            return np.asarray(e / e.sum(axis=1, keepdims=True))


@killed_by("gradients_do_not_pile_up", GRADIENT)
class GradientsPileUp(Good):
    def backprop(self, rows: slice) -> None:
        before = self.__dict__.get("dparameters")
        super().backprop(rows)
        if before:
            pairs = zip(self.dparameters, before, strict=True)
            self.dparameters = [(dw + w, db + b) for (dw, db), (w, b) in pairs]

    def step(self, rate: float) -> None:
        super().step(rate)
        del self.dparameters


@killed_by("a_batch_may_be_any_slice_of_the_set", GRADIENT)
class GradientsOfThePreviousBatch(Good):
    def backprop(self, rows: slice) -> None:
        super().backprop(rows)
        self.late = self.__dict__.get("early", self.dparameters)
        self.early = self.dparameters

    def gradients(self) -> Parameters:
        return [(dw.copy(), db.copy()) for dw, db in self.late]


# Wrong values


@killed_by(BATCH, OUTPUT)
class Float32InsideFloat64(Good):
    def value(self, index: int, z: Array) -> Array:
        return super().value(index, z.astype("float32")).astype(z.dtype)


@killed_by(BATCH, OUTPUT)
class CoarseTanh(Good):
    def value(self, index: int, z: Array) -> Array:
        if self.functions[index].name != "tanh":
            return super().value(index, z)
        z = z.clip(-3, 3)
        return z * (27 + z * z) / (27 + 9 * z * z)


@killed_by(BATCH, OUTPUT)
class HalfPrecisionProducts(Good):
    def forward(self, rows: slice) -> None:
        self.a, self.z = [self.x[rows]], []
        for index, weights in enumerate(self.weights):
            rounded = weights.astype("float16").astype(weights.dtype)
            self.z.append(self.a[-1] @ rounded + self.biases[index])
            self.a.append(self.value(index, self.z[-1]))


@killed_by("a_batch_may_be_any_slice_of_the_set", r"outputs\(\): shape \(23, 4\), should be \(1, 4\)")
class WholeBufferReturned(Good):
    def outputs(self) -> Array:
        self.most = max(self.__dict__.get("most", 0), len(self.a[-1]))
        return np.resize(self.a[-1], (self.most, self.network.outputs))


@killed_by("outputs_belong_to_the_last_forward", r"outputs after step\[\d+, \d+\] is")
class OutputsComputedLate(Good):
    def forward(self, rows: slice) -> None:
        super().forward(rows)
        self.last = rows

    def outputs(self) -> Array:
        super().forward(self.last)
        return super().outputs()


@killed_by("a_batch_equals_the_reference", OUTPUT, workers=2)
class WrongWithTwoWorkers(Good):
    def forward(self, rows: slice) -> None:
        super().forward(rows)
        if self.workers == 2:
            self.a[-1] = self.a[-1] * (1 + 1e-3)


@killed_by("another_set_may_be_loaded", OUTPUT)
class SecondLoadIgnored(Good):
    def load(self, x: Array, y: Array) -> None:
        first = self.rows == 0
        kept = None if first else (np.resize(self.x, x.shape), np.resize(self.y, y.shape))
        super().load(x, y)
        if kept:
            self.x, self.y = kept


# Wrong training


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


# Broken contract


@killed_by("closing_twice_is_fine", "close raised RuntimeError: closed already")
class ClosesOnce(Good):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@killed_by("closing_after_a_failed_start_is_fine", "close after a failed __init__ raised AttributeError")
class ClosesOnlyWhatBegan(Good):
    def close(self) -> None:
        self.weights.clear()


@killed_by("closing_after_a_failed_start_is_fine", "took start weights of a wrong shape")
class StartNotChecked(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        try:
            super().__init__(network, parameters, workers=workers)
        except ValueError:
            self.network, self.workers = network, workers


@killed_by("what_it_cannot_do_it_says_before_the_second_batch", r"parameters raised Unsupported\('relu'\): it belongs")
class UnsupportedFromParameters(Good):
    def parameters(self) -> Parameters:
        if self.network.layers[0].activation == "relu":
            raise Unsupported("relu")
        return super().parameters()


@killed_by("what_it_cannot_do_it_says_before_the_second_batch", r"forward raised Unsupported\('ragged'\): it belongs")
class UnsupportedInTheSecondBatch(Good):
    def forward(self, rows: slice) -> None:
        if rows.start and rows.stop == self.rows:
            raise Unsupported("ragged")
        super().forward(rows)


@killed_by(
    "it_starts_with_exactly_the_weights", r"parameters\(\): weights of layer 0: dtype float64, should be float32"
)
class WrongDtypeReturned(Good):
    def parameters(self) -> Parameters:
        return [(w.astype("float64"), b.astype("float64")) for w, b in super().parameters()]


@killed_by("it_starts_with_exactly_the_weights", r"parameters\(\): weights of layer 0 is not C-ordered")
class FortranOrderReturned(Good):
    def parameters(self) -> Parameters:
        return [(np.asfortranarray(w), b) for w, b in super().parameters()]


@killed_by(
    "a_method_takes_what_the_contract_says", r"forward\(self, rows, training=True\).*: should take \(self, rows\)"
)
class ExtraArgument(Good):
    def forward(self, rows, training=True) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001, ARG002, FBT002
        super().forward(rows)


@killed_by("a_step_subtracts_rate_times_the_gradient", "step returned list, should return nothing")
class StepReturns(Good):
    def step(self, rate: float) -> Any:
        super().step(rate)
        return self.weights


@killed_by("what_it_says_of_itself_is_plain", r"facts\(\): 'peak': .* should be a str with")
class FactsOfNumPy(Good):
    def facts(self) -> dict[str, Any]:
        return {"peak": np.float32(1.5)}


@killed_by("the_options_are_those_of_the_spec", "the keyword 'speed', which is no option of the spec")
class OptionNotInTheSpec(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, speed: str = "slow") -> None:
        super().__init__(network, parameters, workers=workers)
        self.speed = speed


@killed_by("the_options_are_those_of_the_spec", "option 'mode' stands in the spec, but __init__ has no keyword-only")
class OptionOnlyInTheSpec(Good): ...


# Bad manners


@killed_by("it_never_writes_to_what_it_is_given", r"x after training\[\d+, \d+\] is")
class WritesToX(Good):
    def forward(self, rows: slice) -> None:
        self.x[rows] += 1
        super().forward(rows)


@killed_by("it_takes_arrays_that_are_read_only", "backprop raised ValueError: .* read-only")
class WritesToY(Good):
    def backprop(self, rows: slice) -> None:
        self.y[rows] += 0
        super().backprop(rows)


@killed_by("the_start_weights_are_copied", "parameters after the caller's start weights changed: weights of layer 0")
class StartNotCopied(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self.weights = [weights for weights, _ in parameters]


@killed_by("what_it_returns_is_the_callers", "parameters after the caller wrote to copies: weights of layer")
class AliasedParameters(Good):
    def parameters(self) -> Parameters:
        return list(zip(self.weights, self.biases, strict=True))


@killed_by("what_it_returns_is_the_callers", "gradients after the caller wrote to a copy: weights of layer")
class AliasedGradients(Good):
    def gradients(self) -> Parameters:
        return self.dparameters


@killed_by("what_it_returned_stays_as_it_was", r"outputs returned earlier, after training went on\[\d+, \d+\] is")
class OneOutputBuffer(Good):
    def outputs(self) -> Array:
        self.buffer = self.__dict__.get("buffer", np.empty((9, self.network.outputs), self.network.dtype))
        view = self.buffer[: len(self.a[-1])]
        view[:] = self.a[-1]
        return view

    def step(self, rate: float) -> None:
        super().step(rate)
        self.__dict__.get("buffer", np.empty(0))[:] = 0


@killed_by("two_instances_live_side_by_side", "parameters of the first of two instances: weights of layer")
class StateShared(Good):
    shared: ClassVar[list[Array]] = []

    def forward(self, rows: slice) -> None:
        super().forward(rows)
        StateShared.shared = self.a

    def backprop(self, rows: slice) -> None:
        if [part.shape for part in self.shared] == [part.shape for part in self.a]:
            self.a = StateShared.shared
        super().backprop(rows)


@killed_by("closing_one_leaves_the_other_alone", "train_epoch raised RuntimeError: the pool is closed")
class OnePoolForAll(Good):
    closed: ClassVar[bool] = False

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        OnePoolForAll.closed = False

    def forward(self, rows: slice) -> None:
        if OnePoolForAll.closed:
            raise RuntimeError("the pool is closed")
        super().forward(rows)

    def close(self) -> None:
        OnePoolForAll.closed = True


class Leaky(Good):
    """Keeps what it leaks where a test can clean up."""

    leaked: ClassVar[list[Callable[[], object]]] = []

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        self.leak()

    def leak(self) -> None:
        raise NotImplementedError


@killed_by("nothing_is_left_after_close[threads]", "3 more lives left 3 more threads after close, allowed 0")
class LeaksThread(Leaky):
    def leak(self) -> None:
        event = threading.Event()
        threading.Thread(target=event.wait, daemon=True).start()
        self.leaked.append(event.set)


@killed_by("nothing_is_left_after_close[processes]", "3 more lives left 3 more child processes after close")
class LeaksProcess(Leaky):
    def leak(self) -> None:
        child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
        self.leaked.append(child.communicate)


@killed_by("nothing_is_left_after_close[files]", "3 more lives left 3 more open file descriptors after close")
class LeaksFile(Leaky):
    def leak(self) -> None:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        self.leaked.append(lambda: os.close(descriptor))


@killed_by("nothing_is_left_after_close[shared]", r"3 more lives left 3 more entries in /dev/shm after close")
class LeaksSharedMemory(Leaky):
    def leak(self) -> None:
        segment = shared_memory.SharedMemory(create=True, size=64)
        segment.close()
        self.leaked.append(segment.unlink)


@killed_by("it_keeps_to_its_threads", r"\d threads were busy at once in most samples of an epoch, allowed 1")
class TooManyThreads(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self.limits = threadpool_limits(workers + 1, user_api="blas")

    def close(self) -> None:
        self.limits.restore_original_limits()
