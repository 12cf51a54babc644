"""Mutants whose outputs are wrong."""

from __future__ import annotations

import numpy as np
from good_backend import Good
from killing import BATCH, OUTPUT, killed_by

from harness import Array


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
