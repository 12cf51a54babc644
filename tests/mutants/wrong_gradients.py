"""Mutants whose gradients are wrong."""

from __future__ import annotations

import numpy as np
from good_backend import Good
from killing import BATCH, GRADIENT, killed_by

from harness import Array, Parameters


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
