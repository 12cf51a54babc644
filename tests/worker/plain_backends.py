"""Backends for the worker's tests: one that is right, in plain NumPy, and some that are wrong in one place each."""

from __future__ import annotations

import numpy as np

from harness.contract.arrays import Array, Parameters, copied
from harness.contract.backend import Backend
from harness.contract.losses import output_delta
from harness.contract.network import Network
from harness.contract.registry import activation


def plain_pass(network: Network, weights: Parameters, x: Array, y: Array) -> tuple[Array, Parameters]:
    """Return outputs and gradients of one batch by NumPy in the dtype of the arrays."""
    kinds = [activation(layer.activation) for layer in network.layers]
    z: list[Array] = []
    a = [x]
    for kind, (w, b) in zip(kinds, weights, strict=True):
        z.append(a[-1] @ w + b)
        a.append(kind.value(np, z[-1]))
    delta = output_delta(network.loss, kinds[-1], z[-1], a[-1], y)
    gradients: Parameters = []
    for index in reversed(range(len(kinds))):
        gradients.insert(0, (a[index].T @ delta, delta.sum(axis=0)))
        if index:
            delta = (delta @ weights[index][0].T) * kinds[index - 1].slope(np, z[index - 1], a[index])
    return a[-1], gradients


class Plain(Backend):
    """Right: the reference's mathematics in the network's dtype."""

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        self.weights = copied(parameters)
        self.open = True

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        self.x, self.y = x, y

    def parameters(self) -> Parameters:
        return copied(self.weights)

    def outputs(self) -> Array:
        return self.passed.copy()

    def gradients(self) -> Parameters:
        return copied(self.slopes)

    def close(self) -> None:
        self.open = False

    def forward(self, rows: slice) -> None:
        self.passed, _ = plain_pass(self.network, self.weights, self.x[rows], self.y[rows])

    def backprop(self, rows: slice) -> None:
        _, self.slopes = plain_pass(self.network, self.weights, self.x[rows], self.y[rows])

    def step(self, rate: float) -> None:
        for (w, b), (dw, db) in zip(self.weights, self.slopes, strict=True):
            np.subtract(w, w.dtype.type(rate) * dw, out=w)
            np.subtract(b, b.dtype.type(rate) * db, out=b)


class LastBatchLost(Plain):
    """Drops the ragged batch."""

    def train_epoch(self, batch_size: int, rate: float) -> None:
        whole = self.rows // batch_size * batch_size
        rows, self.rows = self.rows, whole
        super().train_epoch(batch_size, rate)
        self.rows = rows


class SumNotMean(Plain):
    """Steps along the sum of the gradients of each batch, though it reports their mean."""

    def step(self, rate: float) -> None:
        super().step(rate * len(self.passed))


class IdleAfterwards(Plain):
    """Right in its first epoch, and idle in all that are timed."""

    done = False

    def train_epoch(self, batch_size: int, rate: float) -> None:
        if not self.done:
            super().train_epoch(batch_size, rate)
        self.done = True


class OutputsOff(Plain):
    """Trains well and reports outputs that are a thousandth off."""

    def outputs(self) -> Array:
        return super().outputs() * np.float32(1.001)


class WritesToItsData(Plain):
    """Scales the training set in place."""

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        self.x.flags.writeable = True
        self.x *= np.float32(0.999)


class NoGradients(Plain):
    """Has none to show."""

    def gradients(self) -> Parameters:
        return []


class GradientsStale(Plain):
    """Trains well and reports twice the gradient of the last layer's bias."""

    def gradients(self) -> Parameters:
        found = super().gradients()
        found[-1] = (found[-1][0], found[-1][1] * 2)
        return found


class Explodes(Plain):
    """Its weights leave the finite numbers after two epochs."""

    epochs = 0

    def train_epoch(self, batch_size: int, rate: float) -> None:
        super().train_epoch(batch_size, rate)
        self.epochs += 1
        if self.epochs > 2:
            self.weights[0][0][0, 0] = np.nan


class Raises(Plain):
    """Raises what its test put here, at the first epoch."""

    error: BaseException = RuntimeError("nothing was put here")

    def train_epoch(self, batch_size: int, rate: float) -> None:  # noqa: ARG002  the contract's signature
        raise self.error


class SecondRank(Plain):
    """One of several ranks, not the first."""

    def rank(self) -> int:
        return 1


class Loud(Plain):
    """Writes down every call that the worker makes, over all instances."""

    calls: list[str] = []  # noqa: RUF012  shared on purpose

    def load(self, x: Array, y: Array) -> None:
        self.calls.append(f"load {len(x)}")
        super().load(x, y)

    def parameters(self) -> Parameters:
        self.calls.append("parameters")
        return super().parameters()

    def gradients(self) -> Parameters:
        self.calls.append("gradients")
        return super().gradients()

    def train_epoch(self, batch_size: int, rate: float) -> None:
        self.calls.append("train_epoch")
        super().train_epoch(batch_size, rate)

    def sync(self) -> None:
        self.calls.append("sync")

    def close(self) -> None:
        self.calls.append("close")
        super().close()


class _CheatsLater(Plain):
    """Right in the first epoch of every instance; ``cheat`` is what it does in every later one."""

    trained = 0

    def train_epoch(self, batch_size: int, rate: float) -> None:
        self.trained += 1
        if self.trained == 1:
            super().train_epoch(batch_size, rate)
        else:
            self.cheat(batch_size, rate)

    def cheat(self, batch_size: int, rate: float) -> None:
        raise NotImplementedError

    def honest(self, batch_size: int, rate: float) -> None:
        super().train_epoch(batch_size, rate)


class IdleLater(_CheatsLater):
    """Does nothing under the clock."""

    def cheat(self, batch_size: int, rate: float) -> None:
        pass


class OneRowInEightLater(_CheatsLater):
    """Trains on an eighth of each batch, or on every eighth batch where they are small."""

    def cheat(self, batch_size: int, rate: float) -> None:
        large = batch_size >= 8
        for start in range(0, self.rows, batch_size if large else 8 * batch_size):
            stop = min(start + batch_size, self.rows)
            rows = slice(start, start + max(1, (stop - start) // 8) if large else stop)
            self.forward(rows)
            self.backprop(rows)
            self.step(rate)


class StaleWeightsLater(_CheatsLater):
    """Computes all gradients of an epoch at the weights with which it began."""

    def cheat(self, batch_size: int, rate: float) -> None:
        frozen, moved = copied(self.weights), copied(self.weights)
        for start in range(0, self.rows, batch_size):
            rows = slice(start, min(start + batch_size, self.rows))
            self.weights = copied(frozen)
            self.backprop(rows)
            self.weights = moved
            self.step(rate)
        self.weights = moved


class FasterRateLater(_CheatsLater):
    """Trains with 1.01 times the rate."""

    def cheat(self, batch_size: int, rate: float) -> None:
        self.honest(batch_size, 1.01 * rate)


class DroppedBiasLater(_CheatsLater):
    """Leaves the first bias as it is."""

    def cheat(self, batch_size: int, rate: float) -> None:
        bias = self.weights[0][1].copy()
        self.honest(batch_size, rate)
        self.weights[0][1][:] = bias


class BeyondTheHead(Plain):
    """Trains on the first 2000 rows of any set, however large it is."""

    def train_epoch(self, batch_size: int, rate: float) -> None:
        rows, self.rows = self.rows, min(2000, self.rows)
        super().train_epoch(batch_size, rate)
        self.rows = rows


class IdleWhereItIsTimed(_CheatsLater):
    """Idle after its first epoch, but only in the second instance of the process."""

    made = 0

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        type(self).made += 1
        self.number = type(self).made

    def cheat(self, batch_size: int, rate: float) -> None:
        if self.number != 2:
            self.honest(batch_size, rate)


class SwapsTwoRows(Plain):
    """Writes to the set that it was lent; no sum shows it."""

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        x.flags.writeable = True
        x[[0, 1]] = x[[1, 0]]


class WritesUnawares(Plain):
    """Scales the training set in place, and does not know that it is only lent."""

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        self.x *= np.float32(0.999)


class SpoilsTheSetLater(Plain):
    """Right in both instances that are timed; the third one of the process writes to the set that it was lent."""

    made = 0

    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        super().__init__(network, parameters, workers=workers)
        type(self).made += 1
        self.number = type(self).made

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        if self.number == 3:
            x.flags.writeable = True
            x[[0, 1]] = x[[1, 0]]


class RowsReversed(Plain):
    """Right: adds the rows of a batch up from the last to the first."""

    def backprop(self, rows: slice) -> None:
        x, y = np.ascontiguousarray(self.x[rows][::-1]), np.ascontiguousarray(self.y[rows][::-1])
        _, self.slopes = plain_pass(self.network, self.weights, x, y)


class SumsInPieces(Plain):
    """Right: adds the gradients of pieces of seven rows up, each weighted by its rows."""

    def backprop(self, rows: slice) -> None:
        count = rows.stop - rows.start
        sums = [(np.zeros_like(w), np.zeros_like(b)) for w, b in self.weights]
        for start in range(rows.start, rows.stop, 7):
            piece = slice(start, min(start + 7, rows.stop))
            share = self.weights[0][0].dtype.type((piece.stop - piece.start) / count)
            _, slopes = plain_pass(self.network, self.weights, self.x[piece], self.y[piece])
            for (dw, db), (sw, sb) in zip(slopes, sums, strict=True):
                np.add(sw, share * dw, out=sw)
                np.add(sb, share * db, out=sb)
        self.slopes = sums


class WrongStep(Plain):
    """Trains its epochs well; its ``step`` alone goes a hundredth too far."""

    training = False

    def train_epoch(self, batch_size: int, rate: float) -> None:
        self.training = True
        super().train_epoch(batch_size, rate)
        self.training = False

    def step(self, rate: float) -> None:
        super().step(rate if self.training else rate * 1.01)


class TrainsWhenLookedAt(Plain):
    """Notes the epochs down and trains them when somebody asks for the weights."""

    due: list[tuple[int, float]]

    def load(self, x: Array, y: Array) -> None:
        super().load(x, y)
        self.due = []

    def train_epoch(self, batch_size: int, rate: float) -> None:
        self.due.append((batch_size, rate))

    def parameters(self) -> Parameters:
        for batch_size, rate in self.due:
            super().train_epoch(batch_size, rate)
        self.due = []
        return super().parameters()


class OneRowInEightOfLargeSets(Plain):
    """Right on every small set; of a large one it trains one batch in eight."""

    def train_epoch(self, batch_size: int, rate: float) -> None:
        if self.rows < 1000:
            super().train_epoch(batch_size, rate)
            return
        for begin in range(0, self.rows, 8 * batch_size):
            rows = slice(begin, min(begin + batch_size, self.rows))
            self.forward(rows)
            self.backprop(rows)
            self.step(rate)
